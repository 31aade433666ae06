/// Tables by call path that do not grow without end.

#ifndef LINUX_PATHS_Y
#define LINUX_PATHS_Y

/// No more paths are told apart in a table. What paths consist of is kept for each that was ever seen: that is bounded by `--memory` alone.
const long paths_most = 1 << 16;

/// The path that something is counted for in a table, where it is `known` or not, and which has so many paths already.
_path paths_bounded(_path at, _Bool known, long paths)
{
    if (known || paths < paths_most)
        return at;
    _path root;
    return root / "(further paths)";
}

#endif
