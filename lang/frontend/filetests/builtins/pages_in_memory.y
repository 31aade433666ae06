// test run
_probe _oneshot {
    unsigned long page = _page_size();
    printf("%lu\n", page);
    printf("%ld %ld\n", _resident((void *) 0x2000, 2 * page + 5), _unshared((void *) 0x2000, 2 * page + 5));
    printf("%ld\n", _resident((void *) 0, page));
    printf("%ld %ld\n", _swapped((void *) 0x2000, 4 * page), _swapped((void *) 0, page));
}
//> 256
//> 512 256
//> -1
//> 256 -1
