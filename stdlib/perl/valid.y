/// Whether the structures in the target are what the types in use say: the check that decides between the candidates of <perl/layouts.y>, and that an
/// address has to pass before it is believed to be an interpreter.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_VALID_Y
#define PERL_VALID_Y

#include <perl/c.y>

/// No more arenas than this: of 170 values each.
#define PERL_MAX_ARENAS (1 << 25)
/// Slots of one arena. Perl asks for 4080 bytes; other sizes would do.
#define PERL_MAX_SLOTS (1 << 20)

/// Whether a head is one of a value of the type, with a body.
int perl_valid_head(SV *sv, uint32_t type)
{
    return sv && ((uint64_t)sv & 7) == 0 && SvTYPE(sv) == type && SvREFCNT(sv) > 0 && SvANY(sv) && ((uint64_t)SvANY(sv) & 7) == 0;
}

/// Whether a hash is sound: as many buckets as a power of two, in readable memory, and in the first of them as many keys as can be.
int perl_valid_hash(SV *hv)
{
    if (!perl_valid_head(hv, PERL_PVHV))
        return 0;
    uint64_t buckets = HvMAX(hv) + 1;
    if (buckets == 0 || (buckets & (buckets - 1)) || buckets > 1ul << 32 || HvTOTALKEYS(hv) > 1ul << 36)
        return 0;
    if (!HvARRAY(hv))
        return HvTOTALKEYS(hv) == 0;
    if (!_readable(HvARRAY(hv), buckets * sizeof(HE *)))
        return 0;
    uint64_t keys = 0;
    for (uint64_t b = 0; b < buckets && b < 1024 && keys < 1024; b++) {
        HE *he = HvARRAY(hv)[b];
        for (int i = 0; he && i < 64; i++) {
            HEK *hek = HeKEY_hek(he);
            int32_t len = HEK_LEN(hek);
            if (len < HEf_SVKEY || len > 1 << 30)
                return 0;
            // A key ends in NUL.
            if (len >= 0 && HEK_KEY(hek)[len] != 0)
                return 0;
            keys++;
            he = HeNEXT(he);
        }
    }
    return keys <= HvTOTALKEYS(hv);
}

/// How many values the arenas hold, or -1 if they are not sound. Looks at the heads of no more than `limit` arenas; 0 for all.
int64_t perl_valid_arenas(SV *arena, int64_t limit)
{
    int64_t live = 0;
    int64_t arenas = 0;
    while (arena) {
        uint32_t slots = SvREFCNT(arena);
        if (((uint64_t)arena & 7) || slots < 2 || slots > PERL_MAX_SLOTS || arenas++ > PERL_MAX_ARENAS)
            return -1;
        for (uint32_t i = 1; i < slots; i++) {
            uint32_t type = SvTYPE(&arena[i]);
            if (type == SVTYPEMASK)
                continue;
            if (type >= PERL_TYPES)
                return -1;
            live++;
        }
        if (limit && arenas >= limit)
            break;
        arena = (SV *)SvANY(arena);
    }
    return live;
}

/// The check itself, on an address that may be anything at all: faults mean no.
int perl_valid_interpreter(struct interpreter *p)
{
    _try {
        if (!p || ((uint64_t)p & 7) || (uint64_t)p < 4096 || !_readable(p, sizeof(struct interpreter)))
            return 0;
        int64_t count = p->Isv_count;
        if (count < 16 || count > 1ul << 36 || !p->Isv_arenaroot)
            return 0;
        if ((uint64_t)p->Istack_sp < (uint64_t)p->Istack_base || p->Itmps_ix < -1 || p->Itmps_ix > p->Itmps_max)
            return 0;
        if (!perl_valid_hash((SV *)p->Idefstash) || !perl_valid_hash((SV *)p->Istrtab) || !HvSHAREKEYS((SV *)p->Idefstash))
            return 0;
        // The stash of everything knows its name.
        if (!HvHasAUX((SV *)p->Idefstash))
            return 0;
        struct xpvhv_aux *aux = HvAUX((SV *)p->Idefstash);
        HEK *name = aux->xhv_name_count ? *aux->xhv_name_u.xhvnameu_names : aux->xhv_name_u.xhvnameu_name;
        if (!name || HEK_LEN(name) != 4 || memcmp(HEK_KEY(name), "main", 4) != 0)
            return 0;
        if (!perl_valid_head((SV *)p->Imain_cv, PERL_PVCV) || !perl_valid_head((SV *)p->Icurstack, PERL_PVAV))
            return 0;
        if (p->Icurstackinfo->si_stack != p->Icurstack)
            return 0;
        if (!perl_valid_head((SV *)p->Iincgv, PERL_PVGV) || !isGV_with_GP((SV *)p->Iincgv))
            return 0;
        HEK *inc = GvNAME_HEK((SV *)p->Iincgv);
        if (HEK_LEN(inc) != 3 || memcmp(HEK_KEY(inc), "INC", 3) != 0)
            return 0;
        if (!perl_valid_head((SV *)GvGP((SV *)p->Iincgv)->gp_av, PERL_PVAV))
            return 0;
        return perl_valid_arenas((SV *)p->Isv_arenaroot, 64) >= 0;
    } _catch (_fault f) {
        return 0;
    }
}

#endif
