// test type
struct s { int a; };
int g;
long held[_path];
struct s rows[_str, int];
int nested[_str][];
_agg stats;
int f(struct s v, int a[], char *p) { int local = 1; return local; }
_probe _oneshot { struct s x; f(x, nested["a"], NULL); unsigned char b = 0; }
//> g: int
//> held: long [_path]
//> rows: struct s [_str, int]
//> nested: int [_str][]
//> stats: _agg
//> f(v: struct s, a: int [], p: char *) -> int { local: int }
//> _probe _oneshot() -> void { x: struct s, b: unsigned char }
