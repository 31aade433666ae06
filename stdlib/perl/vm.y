/// Finds the Perl interpreters of a process: the one that `PL_curinterp` names, and those of all other threads, which each thread keeps in thread-local
/// storage (`PL_thr_key`, and since 5.36 `PL_current_context`).
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_VM_Y
#define PERL_VM_Y

##ifndefvar PL_curinterp
##error "no Perl in this target: no program or library in it defines PL_curinterp. `ytrace ps` shows in which processes it is"
##endif

#include <perl/layouts.y>
#include <perl/c.y>
#include <perl/valid.y>

/// The interpreters found, the first that of `PL_curinterp` or of the main thread, and the thread that each belongs to (0: not known).
struct interpreter *perl_interpreters[];
long perl_threads[];
/// What was tried, for the error.
_str perl_tried;

/// Adds an address if it is an interpreter and not known yet.
void perl_add_interpreter(struct interpreter *p, long tid)
{
    _foreach (i, known in perl_interpreters) {
        if (known == p) {
            if (!perl_threads[i])
                perl_threads[i] = tid;
            return;
        }
    }
    if (_elems(perl_interpreters) >= 4096 || !perl_valid_interpreter(p))
        return;
    _push(perl_interpreters, p);
    _push(perl_threads, tid);
}

/// How far thread-local variables are looked for below and above the thread pointer: the executable's block lies below it, the C library's own
/// structure for the thread, with the first slots of pthread_getspecific(3), above.
#define PERL_TLS_BELOW 4096
#define PERL_TLS_ABOVE 2304

/// Looks at all words that a thread keeps around its thread pointer: those which lead to an interpreter.
void perl_scan_thread(long tid)
{
    uint64_t base = _reg("fs_base", tid);
    uint64_t start = (base - PERL_TLS_BELOW) & ~7ul;
    for (uint64_t a = start; a < base + PERL_TLS_ABOVE; a += 8) {
        if (!_readable((void *)a, 8))
            continue;
        struct interpreter *p = *(struct interpreter **)a;
        // A cheap look first: an interpreter begins with the stack pointer and leads to its arenas.
        if (((uint64_t)p & 7) || (uint64_t)p < 4096 || !_readable(p, sizeof(struct interpreter)) || p->Isv_count <= 0)
            continue;
        perl_add_interpreter(p, tid);
    }
}

/// Finds all interpreters. Gives their number.
long perl_find_interpreters(void)
{
    _clear(perl_interpreters);
    _clear(perl_threads);
    perl_tried = "";
    _try {
        struct interpreter *p = *(struct interpreter **)&PL_curinterp;
        if (!p)
            perl_tried = "PL_curinterp is NULL (no interpreter has been made yet, or all have been freed)";
        else
            perl_add_interpreter(p, 0);
        if (p && _elems(perl_interpreters) == 0)
            perl_tried = sprintf("PL_curinterp leads to %p, which is not laid out as the types in use say", p);
    } _catch (_fault f) {
        perl_tried = "PL_curinterp cannot be read: " + f.message;
    }
    _try {
        _foreach (t in _threads())
            perl_scan_thread(t.tid);
    } _catch (_fault f) {
        // Registers are not known in every mode. What PL_curinterp names is known all the same.
        perl_tried = perl_tried + (perl_tried == "" ? "" : "; ") + "thread-local storage cannot be read: " + f.message;
    }
    if (_elems(perl_interpreters) == 0 && perl_tried == "")
        perl_tried = "no thread has one";
    return _elems(perl_interpreters);
}

/// The check of <perl/layouts.y>: whether the types in use fit an interpreter of this process.
int perl_valid(void)
{
    if (perl_find_interpreters() > 0)
        return 1;
#ifdef LAYOUTS_ARE_OPTIONAL
    return -1;
#else
    _raise("no Perl interpreter of this layout: %s", perl_tried);
    return 0;
#endif
}

/// Finds all interpreters, or ends the run with an explanation.
void perl_need_interpreters(void)
{
    if (perl_find_interpreters() == 0)
        _error("no Perl interpreter found: %s. Looked at PL_curinterp and at the thread-local storage of all threads. Is Perl in this process, and has "
               "it started? `ytrace ps` tells. A Perl that is built without threads, or of a version that <perl/layouts.y> does not know, needs its debug "
               "information (package perl-debug or the like)", perl_tried);
}

#endif
