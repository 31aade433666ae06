// test type-error
_probe _oneshot {
    switch (3) { case 1: break; case 1: break; }
}
//> error 3:38: this case stands twice [an earlier one takes it]
