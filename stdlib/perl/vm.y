/// Finds the Perl interpreters of a process: the one that `PL_curinterp` names; those that the module `threads` has made, which are on a list that the first
/// one knows; and those of all other threads, which each thread keeps in thread-local storage (`PL_thr_key`, and since 5.36 `PL_current_context`): where
/// threads' registers are known, which they are not while threads run.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_VM_Y
#define PERL_VM_Y

#include <perl/layouts.y>
#include <perl/c.y>
#include <perl/valid.y>

/// The interpreters found, the first that of `PL_curinterp` or of the main thread, and the thread that each belongs to (0: not known).
struct interpreter *perl_interpreters[];
long perl_threads[];
/// What was tried, for the error.
_str perl_tried;
/// Threads whose storage could not be looked at.
long perl_threads_unseen;
/// Interpreters that the module `threads` lists and that make no sense.
long perl_interpreters_lost;

/// Adds an address if it is an interpreter and not known yet. Gives whether it is one.
int perl_add_interpreter(struct interpreter *p, long tid)
{
    _foreach (i, known in perl_interpreters) {
        if (known == p) {
            if (!perl_threads[i])
                perl_threads[i] = tid;
            return 1;
        }
    }
    if (_elems(perl_interpreters) >= 4096 || !perl_valid_interpreter(p))
        return 0;
    _push(perl_interpreters, p);
    _push(perl_threads, tid);
    return 1;
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

/// How the module `threads` (threads.xs) begins its record of a thread. All are on a ring, on which the first belongs to the first interpreter.
struct perl_ithread {
    struct perl_ithread *next;
    struct perl_ithread *prev;
    struct interpreter *interp;
};

/// Adds the interpreters of the threads that Perl code has made. `PL_modglobal` leads to them by a key that ends in the module's version.
void perl_add_ithreads(struct interpreter *first)
{
    SV *hv = (SV *)first->Imodglobal;
    if (!perl_valid_hash(hv) || !HvARRAY(hv))
        return;
    for (uint64_t b = 0; b <= HvMAX(hv) && b < 65536; b++) {
        HE *he = HvARRAY(hv)[b];
        for (int i = 0; he && i < 65536; i++) {
            HEK *hek = HeKEY_hek(he);
            SV *sv = HeVAL(he);
            he = HeNEXT(he);
            if (HEK_LEN(hek) < 14 || memcmp(HEK_KEY(hek), "threads::_pool", 14) != 0 || SvTYPE(sv) != PERL_IV)
                continue;
            struct perl_ithread *main = (struct perl_ithread *)SvIVX(sv);
            if (((uint64_t)main & 7) || !_readable(main, sizeof(struct perl_ithread)) || main->interp != first)
                continue;
            struct perl_ithread *thread = main->next;
            for (int n = 0; thread != main && n < 65536; n++) {
                if (thread->next->prev != thread) {
                    perl_interpreters_lost++;
                    break;
                }
                // A thread that has ended and waits to be joined may have none.
                if (thread->interp && !perl_add_interpreter(thread->interp, 0))
                    perl_interpreters_lost++;
                thread = thread->next;
            }
        }
    }
}

/// Finds all interpreters. Gives their number.
long perl_find_interpreters(void)
{
    _clear(perl_interpreters);
    _clear(perl_threads);
    perl_tried = "";
    perl_threads_unseen = 0;
    perl_interpreters_lost = 0;
##ifdefvar PL_curinterp
    _try {
        struct interpreter *p = *(struct interpreter **)&PL_curinterp;
        if (!p)
            perl_tried = "PL_curinterp is NULL (no interpreter has been made yet, or all have been freed)";
        else
            perl_add_interpreter(p, 0);
        if (p && _elems(perl_interpreters) == 0)
            perl_tried = sprintf("PL_curinterp leads to %p, which is not laid out as the types in use say", p);
        else if (p)
            perl_add_ithreads(p);
    } _catch (_fault f) {
        if (_elems(perl_interpreters) > 0)
            perl_interpreters_lost++;
        perl_tried = "PL_curinterp cannot be read: " + f.message;
    }
##endif
    _try {
        _foreach (t in _threads())
            perl_scan_thread(t.tid);
    } _catch (_fault f) {
        // Registers are not known in every mode. What PL_curinterp leads to is known all the same.
        _foreach (t in _threads())
            perl_threads_unseen++;
        perl_tried = perl_tried + (perl_tried == "" ? "" : "; ") + "thread-local storage cannot be read: " + f.message;
    }
    if (_elems(perl_interpreters) == 0 && perl_tried == "")
        perl_tried = "no thread has one";
    return _elems(perl_interpreters);
}

/// Ends the run of a process without Perl.
void perl_absent(void)
{
    _error("no Perl in this process: no program or library in it defines PL_curinterp. `ytrace ps` shows in which processes it is");
}

/// The check of <perl/layouts.y>: whether the types in use fit an interpreter of this process.
int perl_valid(void)
{
##ifndefvar PL_curinterp
#ifdef LAYOUTS_ARE_OPTIONAL
    return -2;
#else
    perl_absent();
#endif
##endif
    if (perl_find_interpreters() > 0)
        return 1;
#ifdef LAYOUTS_ARE_OPTIONAL
    return -1;
#else
    _raise("no Perl interpreter of this layout: %s", perl_tried);
#endif
}

/// Finds all interpreters, or ends the run with an explanation.
void perl_need_interpreters(void)
{
##ifndefvar PL_curinterp
    perl_absent();
##endif
    if (perl_find_interpreters() == 0)
        _error("no Perl interpreter found: %s. Looked at PL_curinterp and at the thread-local storage of all threads. Is Perl in this process, and has "
               "it started? `ytrace ps` tells. A Perl that is built without threads, or of a version that <perl/layouts.y> does not know, needs its debug "
               "information (package perl-debug or the like)", perl_tried);
    if (perl_interpreters_lost > 0) {
        _warn("%ld interpreters that Perl's module `threads` lists are not laid out as the types in use say, and are left out", perl_interpreters_lost);
        _assert_equal("interpreters of Perl's threads", _elems(perl_interpreters), _elems(perl_interpreters) + perl_interpreters_lost);
    }
    if (perl_threads_unseen > _elems(perl_interpreters))
        _warn("%ld threads could not be asked for an interpreter of their own, which takes a stop (--mode copy or stop): %ld interpreters are included, those "
              "that PL_curinterp and Perl's module `threads` know", perl_threads_unseen, _elems(perl_interpreters));
}

#endif
