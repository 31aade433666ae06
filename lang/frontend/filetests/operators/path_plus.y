// test type-error
_probe _oneshot {
    _path p;
    p = p + "a";
}
//> error 4:9: no `+` between `_path` and `_str` [these do not go together] (help: a path is extended by `/`: `p / x`)
