// test run
//! arguments --depth 8 --show-keys --vm=stream
_option int depth = 64;    /// deepest chain
_option _Bool show_keys;
_option _str vm = "http";
_option double share = 0.5;
_probe _oneshot { printf("%d %d %s %.2f\n", depth, show_keys, vm, share); }
//> 8 1 stream 0.50
