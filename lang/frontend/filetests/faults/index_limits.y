// test run
// Indexes whose greatest value shows in how they are made: at the end of an array, and one beyond it.
struct pair { short first; unsigned char second; };
uint64_t words[256];
uint8_t bytes[255];
int grid[4][16];
struct pair pairs[8];
int last = 99;
#define TRY(what) _try { what; printf("%s\n", #what); } _catch (_fault f) { printf("%s: %s\n", #what, f.message); }
void masks(uint64_t n)
{
    TRY(words[n & 255] = 7)
    TRY(words[n & 256] = 7)
    TRY(bytes[n & 254] = 1)
    TRY(bytes[n & 255] = 1)
    TRY(grid[n & 3][n & 15] = 5)
    TRY(grid[n & 3][n & 16] = 5)
    TRY(grid[n & 4][n & 15] = 5)
    TRY(pairs[n & 7].second = n & 255)
    TRY(pairs[n & 15].second = 1)
}
void others(uint64_t n, int negative)
{
    TRY(words[n >> 4] = n)
    TRY(words[n >> 3] = n)
    TRY(words[(n & 128) | (n & 127)] = n)
    TRY(words[(n & 128) + (n & 128)] = n)
    TRY(words[(n & 15) << 4] = n)
    TRY(words[(n & 16) << 4] = n)
    TRY(words[(n & 16) * 15] = n)
    TRY(words[(n & 16) * 16] = n)
    TRY(words[(uint8_t)n] = n)
    TRY(words[(uint16_t)n] = n)
    TRY(words[(int8_t)n] = n)
    TRY(words[negative] = n)
    TRY(words[negative & 255] = n)
    TRY(words[(uint32_t)negative >> 24] = n)
    TRY(words[negative >> 24] = n)
    TRY(words[n > 1] = n)
}
void again(int i)
{
    words[i] = 1;
    words[i] += 1;
    TRY(words[i] += 1)
    i++;
    TRY(words[i] = 1)
    for (int j = 253; j < 258; j++)
        TRY(words[j] = j)
}
_probe _oneshot {
    masks(0xfff);
    others(0xfff, -1);
    again(255);
    printf("%lu %lu %u %d %d %d %d\n", words[255], words[240], bytes[254], grid[3][15], pairs[7].second, pairs[7].first, last);
}
//> words[n & 255] = 7
//> words[n & 256] = 7: index 256 of 256
//> bytes[n & 254] = 1
//> bytes[n & 255] = 1: index 255 of 255
//> grid[n & 3][n & 15] = 5
//> grid[n & 3][n & 16] = 5: index 16 of 16
//> grid[n & 4][n & 15] = 5: index 4 of 4
//> pairs[n & 7].second = n & 255
//> pairs[n & 15].second = 1: index 15 of 8
//> words[n >> 4] = n
//> words[n >> 3] = n: index 511 of 256
//> words[(n & 128) | (n & 127)] = n
//> words[(n & 128) + (n & 128)] = n: index 256 of 256
//> words[(n & 15) << 4] = n
//> words[(n & 16) << 4] = n: index 256 of 256
//> words[(n & 16) * 15] = n
//> words[(n & 16) * 16] = n: index 256 of 256
//> words[(uint8_t)n] = n
//> words[(uint16_t)n] = n: index 4095 of 256
//> words[(int8_t)n] = n: index -1 of 256
//> words[negative] = n: index -1 of 256
//> words[negative & 255] = n
//> words[(uint32_t)negative >> 24] = n
//> words[negative >> 24] = n: index -1 of 256
//> words[n > 1] = n
//> words[i] += 1
//> words[i] = 1: index 256 of 256
//> words[j] = j
//> words[j] = j
//> words[j] = j
//> words[j] = j: index 256 of 256
//> words[j] = j: index 257 of 256
//> 255 4095 1 5 255 0 99
