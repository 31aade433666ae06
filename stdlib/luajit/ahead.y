/// Looking ahead of the walk: what it will read of the next objects is read in advance, that of many objects in one go, so that the processor waits for all
/// of it together where the walk would wait for one address after another. Nothing is changed by it, nothing is read that the walk does not read, and
/// faults are left to the walk, which meets them again.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_AHEAD_Y
#define LUAJIT_AHEAD_Y

#include <luajit/c.y>
#include <graph/marks.y>

/// Objects of the list that are taken off it together.
#define LJ_AHEAD_OBJECTS 32
/// Slots of a table, or chains of the string table, that are looked at together. Tables with more are looked at while they are walked, others while they
/// are on the list.
#define LJ_AHEAD_SLOTS 16
/// The most values that are looked at together.
#define LJ_AHEAD 512

/// What has been noted: objects of the list, and values as words.
GCobj *lj_ahead_objects[LJ_AHEAD_OBJECTS];
uint64_t lj_ahead_words[LJ_AHEAD];
int lj_ahead_number;

/// Notes the key and the value of a slot of a hash part. Where there is no value, the key may be dead.
void lj_ahead_note_node(Node *node)
{
    uint64_t w = node->val.u64;
    uint32_t tag = lj_word_tag(w);
    if (tag == LJ_TNIL || lj_ahead_number + 2 > LJ_AHEAD)
        return;
    if (lj_tag_isgc(tag))
        lj_ahead_words[lj_ahead_number++] = w;
    uint64_t kw = node->key.u64;
    if (lj_tag_isgc(lj_word_tag(kw)))
        lj_ahead_words[lj_ahead_number++] = kw;
}

/// Notes the value of a slot of an array part.
void lj_ahead_note_word(uint64_t w)
{
    if (lj_tag_isgc(lj_word_tag(w)) && lj_ahead_number < LJ_AHEAD)
        lj_ahead_words[lj_ahead_number++] = w;
}

/// Reads the objects that have been noted and not been visited; tables are not read before they are on the list.
void lj_ahead_read(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < lj_ahead_number; i++)
        sum += graph_mark_word(lj_word_gc(lj_ahead_words[i]));
    for (int i = 0; i < lj_ahead_number; i++) {
        uint64_t w = lj_ahead_words[i];
        uint32_t tag = lj_word_tag(w);
        GCobj *o = lj_word_gc(w);
        if (tag == LJ_TTAB || !graph_unmarked(o))
            continue;
        sum += tag == LJ_TSTR ? o->str.len : o->gch.gct;
    }
}

/// Looks at slots of an array part from an index on, where that is the first of as many as are looked at together.
void lj_ahead_of_array(TValue *array, uint32_t i, uint32_t asize)
{
    if (i % LJ_AHEAD_SLOTS != 0)
        return;
    uint32_t end = asize - i < LJ_AHEAD_SLOTS ? asize : i + LJ_AHEAD_SLOTS;
    lj_ahead_number = 0;
    _try {
        for (; i < end; i++)
            lj_ahead_note_word(array[i].u64);
        lj_ahead_read();
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

/// Looks at slots of a hash part, likewise.
void lj_ahead_of_nodes(Node *node, uint32_t i, uint32_t hmask)
{
    if (i % LJ_AHEAD_SLOTS != 0)
        return;
    uint32_t last = hmask - i < LJ_AHEAD_SLOTS ? hmask : i + LJ_AHEAD_SLOTS - 1;
    lj_ahead_number = 0;
    _try {
        for (; i <= last; i++)
            lj_ahead_note_node(&node[i]);
        lj_ahead_read();
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

/// Looks at chains of the string table, likewise.
void lj_ahead_of_strings(GCRef *table, uint64_t b, uint64_t mask)
{
    if (b % LJ_AHEAD_SLOTS != 0)
        return;
    uint64_t last = mask - b < LJ_AHEAD_SLOTS ? mask : b + LJ_AHEAD_SLOTS - 1;
    int number = 0;
    uint64_t sum = 0;
    _try {
        for (; b <= last; b++) {
            uint64_t s = gcrefu(table[b]) & ~1ul;
            if (s)
                lj_ahead_words[number++] = s;
        }
        for (int i = 0; i < number; i++) {
            GCobj *s = (GCobj *)lj_ahead_words[i];
            sum += graph_mark_word(s);
            uint64_t next = gcrefu(s->gch.nextgc);
            if (next && number < LJ_AHEAD)
                lj_ahead_words[number++] = next;
        }
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

/// Looks at objects of the list, which the caller has noted; at what is in them, too, where they are tables.
void lj_ahead_of_list(int number)
{
    uint64_t sum = 0;
    lj_ahead_number = 0;
    _try {
        for (int i = 0; i < number; i++)
            sum += lj_ahead_objects[i]->gch.gct;
        int kept = 0;
        for (int i = 0; i < number; i++) {
            GCobj *o = lj_ahead_objects[i];
            if (o->gch.gct != 11)
                continue;
            lj_ahead_objects[kept++] = o;
            if (o->tab.asize > 0)
                sum += tvref(o->tab.array)->u64;
            if (o->tab.hmask > 0)
                sum += noderef(o->tab.node)->key.u64;
        }
        for (int i = 0; i < kept; i++) {
            GCtab *t = &lj_ahead_objects[i]->tab;
            uint32_t asize = t->asize;
            TValue *array = tvref(t->array);
            if (asize <= LJ_AHEAD_SLOTS)
                for (uint32_t j = 0; j < asize; j++)
                    lj_ahead_note_word(array[j].u64);
            uint32_t hmask = t->hmask;
            Node *node = noderef(t->node);
            if (hmask > 0 && hmask < LJ_AHEAD_SLOTS)
                for (uint32_t j = 0; j <= hmask; j++)
                    lj_ahead_note_node(&node[j]);
        }
        lj_ahead_read();
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

#endif
