// Calls of every kind that C++ has, for stacks to be captured of.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

static volatile long sum;

struct Shape {
    virtual ~Shape() { sum = sum + 1; }
    virtual long area(long depth) const = 0;
};

struct Other {
    virtual ~Other() = default;
    virtual long other(long depth) = 0;
};

struct Square : Shape, virtual Other {
    long side;
    explicit Square(long side) : side(side) {}
    long area(long depth) const override { return depth > 0 ? area(depth - 1) + 1 : side * side; }
    // Called through a thunk that adjusts `this`.
    long other(long depth) override { return area(depth) + side; }
};

struct Guard {
    long amount;
    ~Guard() { sum = sum + std::make_unique<Square>(amount)->area(amount % 5); }
};

struct Wrong : std::runtime_error {
    using std::runtime_error::runtime_error;
    std::vector<long> more = { 1, 2, 3 };
};

[[gnu::noinline]] static void throws(long depth)
{
    Guard guard { depth };
    std::string text(static_cast<size_t>(depth * 7), 'x');
    if (depth == 0)
        throw Wrong("at the end");
    throws(depth - 1);
    sum = sum + static_cast<long>(text.size());
}

[[gnu::noinline]] static void rethrows(long depth)
{
    try {
        throws(depth);
    } catch (const Wrong &) {
        Guard guard { 2 };
        throw;
    } catch (...) {
        std::abort();
    }
}

static long noexcept_one(long depth) noexcept
{
    try {
        rethrows(depth);
    } catch (const std::exception &error) {
        return error.what()[0];
    }
    return 0;
}

[[gnu::noinline]] static long apply(const std::function<long(long)> &function, long depth)
{
    if (depth > 0)
        return apply([&](long x) { return function(x) + depth; }, depth - 1) + 1;
    return function(depth);
}

static long containers(long round)
{
    std::map<std::string, std::vector<long>> map;
    for (long i = 0; i < 20; i++)
        map[std::to_string(i * round % 13) + " a key that is allocated"].push_back(i);
    std::vector<long> numbers(40);
    std::iota(numbers.begin(), numbers.end(), round);
    std::sort(numbers.begin(), numbers.end(), [](long a, long b) { return a * 31 % 41 < b * 31 % 41; });
    std::stable_sort(numbers.begin(), numbers.end(), std::greater<>());
    return std::accumulate(map.begin(), map.end(), numbers[3], [](long total, const auto &pair) {
        return total + static_cast<long>(pair.first.size()) * pair.second[0];
    });
}

static long texts(long round)
{
    std::ostringstream stream;
    stream << "value " << round << ' ' << 1.5 * static_cast<double>(round) << std::hex << round;
    std::istringstream words(stream.str());
    std::string word;
    long number = 0;
    words >> word >> number;
    return number + static_cast<long>(word.size());
}

static long variants(long round)
{
    using Value = std::variant<long, std::string, std::function<long(long)>>;
    std::vector<Value> values { round, std::string(static_cast<size_t>(round % 30), 'y'),
        std::function<long(long)>([round](long x) { return containers(x + round); }) };
    long total = 0;
    for (const Value &value : values)
        total += std::visit([round](const auto &one) -> long {
            using One = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<One, long>) return one;
            else if constexpr (std::is_same_v<One, std::string>) return static_cast<long>(one.size());
            else return one(round);
        }, value);
    return total;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? std::atol(argv[1]) : 1;
    for (long round = 0; round < rounds; round++) {
        std::vector<std::unique_ptr<Shape>> shapes;
        for (long side = 0; side < 4; side++)
            shapes.push_back(std::make_unique<Square>(side));
        for (const auto &shape : shapes)
            sum = sum + shape->area(round % 12) + dynamic_cast<Other &>(*shape).other(3);
        sum = sum + noexcept_one(round % 6) + apply([](long x) { return x + 1; }, round % 9);
        sum = sum + variants(round) + texts(round);
    }
    std::cout << (sum != 0) << '\n';
}
