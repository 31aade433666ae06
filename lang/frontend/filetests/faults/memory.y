// test run-error
//! tracer-memory 50000
_probe _oneshot {
    long t[long];
    for (long i = 0; ; i++) t[i] = i;
}
//> _oneshot ended: memory exhausted: the probe's memory limit of 50.0 kB is reached at 5:29
