/// What the prompt of `ytrace repl` asks a process's libraries, and how they answer: what addresses are (`:what`), and which blocks allocators have (`list used` and its like,
/// <heap/ask.y>).
///
/// A directory of probe files answers by a file `prompt.toml` in it: `[[what]]` names a file and a function there, which is called once. For each thing that it
/// knows it asks `prompt_is_asked` whether an address in question lies in there, and if so says what it is:
///
///     void mine_what(void)
///     {
///         for (struct mine_block *b = mine_blocks; b; b = b->next)
///             if (prompt_is_asked(b, b->size))
///                 prompt_say((uint64_t)b, b->size, "mine block", sprintf("of %s", _tostr(b->owner)));
///     }

#ifndef PROMPT_ANSWERS_Y
#define PROMPT_ANSWERS_Y

#ifndef PROMPT_JSON
#define PROMPT_JSON 0
#endif

/// The addresses in question, in order, each once.
uint64_t prompt_asked[];
/// The first and the last of them.
uint64_t prompt_lowest = ~0ul;
uint64_t prompt_highest;

/// An answer: what lies from `start` on, `size` bytes of it, and which of the addresses lies in there.
struct prompt_answer {
    long asked;
    uint64_t start, size;
    _str kind;
    _str text;
};
struct prompt_answer prompt_answers[];
// No more answers than this are kept: a list that leads in a circle could give any number.
#define PROMPT_MOST_ANSWERS 1000000

/// Puts the addresses in question: all that `addresses` holds.
void prompt_put(uint64_t addresses[])
{
    _clear(prompt_asked);
    _clear(prompt_answers);
    _sort(addresses _by x);
    _foreach (a in addresses)
        if (_elems(prompt_asked) == 0 || prompt_asked[_elems(prompt_asked) - 1] != a)
            _push(prompt_asked, a);
    prompt_lowest = ~0ul;
    prompt_highest = 0;
    if (_elems(prompt_asked) > 0) {
        prompt_lowest = prompt_asked[0];
        prompt_highest = prompt_asked[_elems(prompt_asked) - 1];
    }
}

/// The first of the addresses that is `start` or lies above, by its number; as many as there are if none does.
long prompt_first_from(uint64_t start)
{
    long low = 0;
    long high = _elems(prompt_asked);
    while (low < high) {
        long middle = (low + high) / 2;
        if (prompt_asked[middle] < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/// Whether one of the addresses lies in some memory.
int prompt_lies_in(uint64_t start, uint64_t size)
{
    long i = prompt_first_from(start);
    return i < _elems(prompt_asked) && prompt_asked[i] - start < size;
}

/// The same, and fast where none does.
#define prompt_is_asked(start, size) \
    ((uint64_t)(start) <= prompt_highest && (uint64_t)(start) + (uint64_t)(size) > prompt_lowest && prompt_lies_in((uint64_t)(start), (uint64_t)(size)))

/// Answers for all of the addresses that lie in some memory: of what kind it is, in a word or two, and what else is known.
void prompt_say(uint64_t start, uint64_t size, _str kind, _str text)
{
    long end = _elems(prompt_asked);
    for (long i = prompt_first_from(start); i < end && prompt_asked[i] - start < size && _elems(prompt_answers) < PROMPT_MOST_ANSWERS; i++)
        _push(prompt_answers, (struct prompt_answer){ i, start, size, kind, text });
}

/// A number with its thousands apart.
_str prompt_thousands(uint64_t n)
{
    _str text = "";
    while (n >= 1000) {
        text = sprintf(",%03lu", n % 1000) + text;
        n /= 1000;
    }
    return sprintf("%lu", n) + text;
}

/// How many bytes the character of UTF-8 has that begins there; 0 where none does (RFC 3629: no surrogates, nothing written longer than need be).
int prompt_character(_str s, long at)
{
    int c = s[at] & 0xff;
    if (c < 0x80)
        return 1;
    int length = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (!length || at + length > _len(s))
        return 0;
    for (int i = 1; i < length; i++)
        if ((s[at + i] & 0xc0) != 0x80)
            return 0;
    int second = s[at + 1] & 0xff;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

/// A string as JSON writes it. Bytes that are no UTF-8 are replacement characters.
_str prompt_quoted(_str s)
{
    if (!(s ~~ rx/["\\]|[^ -~]/))
        return "\"" + s + "\"";
    _str text = "\"";
    long n = _len(s);
    long i = 0;
    while (i < n) {
        int c = s[i] & 0xff;
        int length = prompt_character(s, i);
        if (c == '"' || c == '\\')
            text = text + "\\" + _substr(s, i, 1);
        else if (c < 32 || c == 127)
            text = text + sprintf("\\u%04x", c);
        else if (length)
            text = text + _substr(s, i, length);
        else
            text = text + "\\ufffd";
        i += length ? length : 1;
    }
    return text + "\"";
}

/// Prints what was answered for one of the addresses, by its number: the largest thing first.
void prompt_show(long asked)
{
    uint64_t a = prompt_asked[asked];
    struct prompt_answer found[];
    _foreach (answer in prompt_answers)
        if (answer.asked == asked)
            _push(found, answer);
    _sort(found _by x.size _desc);
    _foreach (answer in found) {
        uint64_t inside = a - answer.start;
        if (PROMPT_JSON)
            printf("{\"address\": \"0x%lx\", \"kind\": %s, \"text\": %s, \"start\": \"0x%lx\", \"size\": %lu, \"offset\": %lu}\n", a, prompt_quoted(answer.kind),
                   prompt_quoted(answer.text), answer.start, answer.size, inside);
        else
            printf("%s: %s%s%s bytes at 0x%lx%s\n", answer.kind, answer.text, answer.text == "" ? "" : ", ", prompt_thousands(answer.size), answer.start,
                   inside ? sprintf(", 0x%lx inside", inside) : "");
    }
}

#endif
