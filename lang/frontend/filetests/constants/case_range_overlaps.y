// test type-error
_probe _oneshot {
    switch (3) { case 1 ... 5: break; case 4: break; }
}
//> error 3:44: this case stands twice [an earlier one takes it]
