// test type-error
_probe _oneshot {
    _entry(1);
}
//> error 3:5: `_entry` needs a probe on an event [this build has none yet]
