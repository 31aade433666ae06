// test parse-error
##error ""
int x;
//> error 2:1: no reason is given [stated here]
