// The kernels of src/kernel/cuda/kernels.cu on a CPU, a thread of the system for each of theirs,
// beside what they are to compute, worked out in 64 bits. Says what differs, and ends with 1 then.
// tests/cuda_kernels.rs compiles it, with the kernels as kernels.inc beside it.

#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

struct Place {
    int x, y, z;
};
static thread_local Place threadIdx;
static Place blockIdx, blockDim;
static std::barrier<> *arrived;
static void __syncthreads() { arrived->arrive_and_wait(); }
template <typename T> static T exchanged(T value, int distance) {
    static T values[1024];
    values[threadIdx.x] = value;
    __syncthreads();
    T other = values[threadIdx.x ^ distance];
    __syncthreads();
    return other;
}
// All threads of a block come here together, which more than a warp of them needs not.
static float __shfl_xor_sync(unsigned, float value, int distance) {
    return exchanged(value, distance);
}
static int __shfl_xor_sync(unsigned, int value, int distance) { return exchanged(value, distance); }
template <typename To, typename From> static To same_bits(From from) {
    To to;
    static_assert(sizeof to == sizeof from);
    memcpy(&to, &from, sizeof to);
    return to;
}
static float __uint_as_float(unsigned bits) { return same_bits<float>(bits); }
static float __int_as_float(unsigned bits) { return same_bits<float>(bits); }
static unsigned __float_as_uint(float x) { return same_bits<unsigned>(x); }
static float half_to_float(unsigned short bits) { return (float)same_bits<_Float16>(bits); }
static unsigned short float_to_half(float x) { return same_bits<unsigned short>((_Float16)x); }
#define __device__
#define __global__
#define __forceinline__ inline
#define __shared__ static
#define __align__(bytes)
#include "kernels.inc"

template <typename Kernel> static void launch(int columns, int rows, int threads, Kernel kernel) {
    blockDim = {threads, 1, 1};
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            blockIdx = {x, y, 0};
            std::barrier<> all(threads);
            arrived = &all;
            std::vector<std::thread> running;
            for (int n = 0; n < threads; n++)
                running.emplace_back([=] {
                    threadIdx = {n, 0, 0};
                    kernel();
                });
            for (auto &thread : running) thread.join();
        }
    }
}

static std::mt19937 source(1);
static double normal() { return std::normal_distribution<double>()(source); }
template <typename T> static T stored(double x) {
    T y;
    narrow((float)x, y);
    return y;
}
template <typename T> static std::vector<T> drawn(int count) {
    std::vector<T> values(count);
    for (auto &value : values) value = stored<T>(normal());
    return values;
}

static int failures = 0;
static void expect(bool holds, const std::string &what) {
    if (holds) return;
    printf("%s\n", what.c_str());
    failures++;
}
// Whether a result is as near as its type allows.
template <typename T> static bool near(T found, double expected) {
    const double share = std::is_same_v<T, float> ? 2e-6 : std::is_same_v<T, f16> ? 2e-3 : 1.6e-2;
    return fabs(wide(found) - expected) <= share * std::max(1.0, fabs(expected));
}

static double applied(int activation, double x) {
    switch (activation) {
    case 1: return x / (1 + exp(-x));
    case 2: return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case 3: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case 4: return std::max(x, 0.0);
    default: return x;
    }
}

template <typename T> static void check_rows(const std::string &type) {
    const int rows = 3, width = 328; // more than 32 threads read at once, less than 64 do
    auto x = drawn<T>(rows * width), y = drawn<T>(rows * width), bias = drawn<T>(width),
         weight = drawn<T>(width);
    std::vector<T> out(rows * width);
    for (int activation = 0; activation < 5; activation++) {
        for (int has_bias = 0; has_bias < 2; has_bias++) {
            launch(rows, 1, 32, [&] {
                bias_activation<T>(x.data(), bias.data(), out.data(), width, has_bias, activation);
            });
            for (int i = 0; i < rows * width; i++) {
                const double sum =
                    has_bias ? rounded<T>(wide(x[i]) + wide(bias[i % width])) : wide(x[i]);
                expect(near(out[i], applied(activation, sum)),
                       type + " biased, activation " + std::to_string(activation));
            }
        }
    }
    const int half = 40;
    auto both = drawn<T>(rows * 2 * half);
    launch(rows, 1, 32, [&] { gated<T>(both.data(), out.data(), half, 1); });
    for (int i = 0; i < rows * half; i++) {
        const int row = i / half, at = row * 2 * half + i % half;
        expect(near(out[i], applied(1, wide(both[at])) * wide(both[at + half])), type + " gated");
    }
    auto y_bias = drawn<T>(width);
    for (int addends = 0; addends < 3; addends++) {
        for (auto [centred, threads] : {std::pair(0, 32), {1, 32}, {0, 64}, {1, 64}}) {
            launch(rows, 1, threads, [&] {
                normalize<T>(x.data(), y.data(), y_bias.data(), weight.data(), bias.data(),
                             out.data(), width, addends, centred, 1e-5f);
            });
            for (int row = 0; row < rows; row++) {
                std::vector<double> values(width);
                double mean = 0, square = 0;
                for (int i = 0; i < width; i++) {
                    const int at = row * width + i;
                    const double other =
                        addends > 1 ? rounded<T>(wide(y[at]) + wide(y_bias[i])) : wide(y[at]);
                    values[i] = addends > 0 ? rounded<T>(wide(x[at]) + other) : wide(x[at]);
                    mean += centred ? values[i] / width : 0;
                }
                for (double value : values) square += (value - mean) * (value - mean) / width;
                for (int i = 0; i < width; i++) {
                    const double scaled =
                        (values[i] - mean) / sqrt(square + 1e-5) * wide(weight[i]);
                    expect(near(out[row * width + i], centred ? scaled + wide(bias[i]) : scaled),
                           type + " normalized");
                }
            }
        }
    }
    const int stride = 2 * width;
    auto apart = drawn<T>(rows * stride);
    launch(rows, 1, 32, [&] { append_rows<T>(apart.data(), out.data(), width, stride); });
    for (int i = 0; i < rows * width; i++)
        expect(wide(out[i]) == wide(apart[i / width * stride + i % width]), type + " appended");
}

template <typename T>
static void check_attention(const std::string &type, int dim, bool scattered) {
    const int heads = 4, kv_heads = dim == 256 ? 1 : dim == 16 ? 2 : 4, queries = 4, held = 90;
    const int q_stride = 3 * heads * dim, kv_stride = (kv_heads + 1) * dim;
    const float scale = 0.2f;
    const auto q = drawn<T>(queries * q_stride), keys = drawn<T>(held * kv_stride),
               values = drawn<T>(held * kv_stride);
    const std::vector<unsigned> begins = {0, 5, 5, 82}, counts = {5, 1, 77, 0};
    std::vector<unsigned> seen = begins;
    seen.insert(seen.end(), counts.begin(), counts.end());
    for (int n = 0; n < 83; n++) seen.push_back(source() % held);
    const auto row = [&](int query, unsigned n) {
        return scattered ? seen[2 * queries + begins[query] + n] : begins[query] + n;
    };
    std::vector<T> out(queries * heads * dim);
    launch(queries, heads, std::max(64, dim), [&] {
        attention<T>(q.data(), keys.data(), values.data(), seen.data(), out.data(), queries,
                     scattered, q_stride, kv_stride, heads, kv_heads, dim, scale);
    });
    for (int query = 0; query < queries; query++) {
        for (int head = 0; head < heads; head++) {
            const T *wanted = q.data() + query * q_stride + head * dim;
            const int column = head / (heads / kv_heads) * dim;
            std::vector<double> weights(counts[query]);
            double total = 0;
            for (unsigned n = 0; n < counts[query]; n++) {
                double score = 0;
                for (int i = 0; i < dim; i++)
                    score += wide(wanted[i]) * wide(keys[row(query, n) * kv_stride + column + i]);
                total += weights[n] = exp(scale * score);
            }
            for (int i = 0; i < dim; i++) {
                double sum = 0;
                for (unsigned n = 0; n < counts[query]; n++)
                    sum +=
                        weights[n] / total * wide(values[row(query, n) * kv_stride + column + i]);
                expect(near(out[(query * heads + head) * dim + i], sum),
                       type + " attended, heads of " + std::to_string(dim));
            }
        }
    }
}

template <typename T> static void check_best(const std::string &type) {
    const int rows = 2, width = 1501, stride = 1504, wanted = 9, columns = 2 * wanted + 2;
    auto x = drawn<T>(rows * stride);
    auto bias = drawn<float>(width);
    // What fills a row up is not looked at.
    for (int row = 0; row < rows; row++)
        std::fill_n(x.begin() + row * stride + width, stride - width, stored<T>(99));
    // Equal ones, two of them for the same thread.
    x[7] = x[6] = x[7 + 512] = x[900] = stored<T>(9);
    bias[7] = bias[6] = bias[7 + 512] = bias[900] = 0.5f;
    for (auto [count, has_bias] : {std::pair(width, 0), {width, 1}, {5, 1}}) {
        std::vector<float> out(rows * columns);
        launch(rows, 1, 64, [&] {
            top_k<T>(x.data(), bias.data(), out.data(), count, stride, wanted, has_bias);
        });
        for (int row = 0; row < rows; row++) {
            std::vector<std::pair<float, int>> ranked;
            for (int i = 0; i < count; i++)
                ranked.push_back({-(wide(x[row * stride + i]) + (has_bias ? bias[i] : 0.0f)), i});
            std::sort(ranked.begin(), ranked.end());
            double total = 0;
            for (auto [logit, _] : ranked) total += exp(ranked[0].first - logit);
            const float *found = out.data() + row * columns;
            for (int n = 0; n < wanted; n++) {
                const bool is_there = n < count;
                expect(found[wanted + n] == (is_there ? ranked[n].second : -1),
                       type + " best, column " + std::to_string(n));
                expect(!is_there || found[n] == -ranked[n].first,
                       type + " best, logit " + std::to_string(n));
            }
            expect(found[2 * wanted] == -ranked[0].first &&
                       fabs(found[2 * wanted + 1] / total - 1) < 1e-5,
                   type + " best, sum");
        }
    }
}

template <typename T> static void check(const std::string &type) {
    check_rows<T>(type);
    for (int dim : {8, 16, 64, 256}) {
        for (bool scattered : {false, true}) check_attention<T>(type, dim, scattered);
    }
    check_best<T>(type);
}

int main() {
    check<float>("f32");
    check<bf16>("bf16");
    check<f16>("f16");
    return failures > 0;
}
