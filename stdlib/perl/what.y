/// Says of addresses which of Perl's values they belong to, for `:what` at the prompt: heads, bodies, and blocks of values.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_WHAT_Y
#define PERL_WHAT_Y

#include <glibc/blocks.y>
#include <perl/owners.y>

/// A value in words.
_str perl_value_text(SV *sv)
{
    uint32_t flags = SvFLAGS(sv);
    uint32_t type = flags & SVTYPEMASK;
    _str text = sprintf("%s at 0x%lx, %u reference%s", perl_type_name(type), (uint64_t)sv, SvREFCNT(sv), SvREFCNT(sv) == 1 ? "" : "s");
    if (flags & SVs_OBJECT)
        text = text + ", of class " + perl_stash_name(SvSTASH(sv));
    if ((flags & SVf_POK) && !(flags & SVf_ROK) && type >= PERL_PV && type <= PERL_PVMG && type != PERL_INVLIST)
        text = text + ", " + _tostr_quoted(SvPVX(sv), SvCUR(sv) < 60 ? SvCUR(sv) : 60);
    if (type == PERL_PVAV)
        text = text + sprintf(", %ld elements", (long)AvFILLp(sv) + 1);
    if (type == PERL_PVHV)
        text = text + sprintf(", %ld keys", (long)HvTOTALKEYS(sv));
    return text;
}

/// What is said of memory of a value; where the value makes no sense, that.
void perl_say(SV *sv, uint64_t start, uint64_t size, _str part)
{
    _str text;
    _try {
        text = perl_value_text(sv);
    } _catch (_fault f) {
        text = sprintf("a damaged value at 0x%lx", (uint64_t)sv);
    }
    prompt_say(start, size, "Perl value", part + text);
}

void perl_on_claim(void *block, uint64_t size)
{
    if (!prompt_is_asked(block, size))
        return;
    if (perl_value_now)
        perl_say(perl_value_now, (uint64_t)block, size, "a block of ");
    else
        prompt_say((uint64_t)block, size, "Perl", "a block of the interpreter: an arena, a stack, a table");
}

/// Asks for the head and the body of a value.
void perl_ask_value(SV *sv)
{
    uint32_t type = SvFLAGS(sv) & SVTYPEMASK;
    if (prompt_is_asked(sv, sizeof(SV))) {
        if (type == SVTYPEMASK)
            prompt_say((uint64_t)sv, sizeof(SV), "Perl value", "a free head");
        else
            perl_say(sv, (uint64_t)sv, sizeof(SV), "");
    }
    if (type == SVTYPEMASK || perl_body_sizes[type] == 0)
        return;
    // Bodies of strings begin at their length.
    uint64_t body = (uint64_t)SvANY(sv);
    if (type == PERL_PV || type == PERL_PVIV || type == PERL_PVNV || type == PERL_INVLIST)
        body += offsetof(struct xpv, xpv_cur);
    if (prompt_is_asked(body, perl_body_sizes[type]))
        perl_say(sv, body, perl_body_sizes[type], "body of ");
}

void perl_what(void)
{
    if (!glibc_is_here())
        return;
    glibc_learn_owners();
    _foreach (p in perl_interpreters) {
        perl_sizes_of(p);
        SV *arena = (SV *)p->Isv_arenaroot;
        for (long arenas = 0; arena && arenas < PERL_MAX_ARENAS; arenas++) {
            uint32_t slots = SvREFCNT(arena);
            if (slots > PERL_MAX_SLOTS)
                break;
            for (uint32_t i = 1; i < slots; i++)
                perl_ask_value(&arena[i]);
            arena = (SV *)SvANY(arena);
        }
        if (arena)
            _warn("Perl's list of arenas is damaged or too long at 0x%lx: values behind it are not told as Perl's", (uint64_t)arena);
    }
}

#endif
