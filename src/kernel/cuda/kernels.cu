// What a CUDA device computes where candle's operations would be many, or slow. Compiled when it is
// first used (launch.rs), so that nothing here may need a header. Rows are contiguous unless a
// stride says otherwise; sums are in 32 bits and in an order that depends on the sizes alone.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct bf16 {
    u16 bits;
};
struct f16 {
    u16 bits;
};

#define LOWEST __int_as_float(0xff800000)
#define WARP 32
#define WHOLE 0xffffffffu

__device__ __forceinline__ float wide(float x) { return x; }
__device__ __forceinline__ float wide(bf16 x) { return __uint_as_float((u32)x.bits << 16); }
__device__ __forceinline__ float wide(f16 x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}

__device__ __forceinline__ void narrow(float x, float &y) { y = x; }
__device__ __forceinline__ void narrow(float x, bf16 &y) {
    u32 bits = __float_as_uint(x);
    // To the nearest, the even one of two; what is no number stays none.
    y.bits = x != x ? 0x7fff : (u16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
__device__ __forceinline__ void narrow(float x, f16 &y) {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
}

// A sum or an activation as it would be read again from memory.
template <typename T> __device__ __forceinline__ float rounded(float x) {
    T y;
    narrow(x, y);
    return wide(y);
}

// Eight numbers side by side, at an address that is a multiple of their size.
template <typename T> struct __align__(16) Eight {
    T at[8];
};

template <typename T> __device__ __forceinline__ void read(const T *from, float *to) {
    const Eight<T> eight = *(const Eight<T> *)from;
#pragma unroll
    for (int i = 0; i < 8; i++) to[i] = wide(eight.at[i]);
}

template <typename T> __device__ __forceinline__ void write(const float *from, T *to) {
    Eight<T> eight;
#pragma unroll
    for (int i = 0; i < 8; i++) narrow(from[i], eight.at[i]);
    *(Eight<T> *)to = eight;
}

// As rows.rs numbers them; 0 is none.
__device__ __forceinline__ float activated(int activation, float x) {
    switch (activation) {
    case 1: return x / (1.0f + expf(-x));
    case 2: return 0.5f * x * (1.0f + tanhf(0.7978845608028654f * x * (1.0f + 0.044715f * x * x)));
    case 3: return 0.5f * x * (1.0f + erff(x * 0.7071067811865476f));
    case 4: return fmaxf(x, 0.0f);
    default: return x;
    }
}

// The sum of a block's threads, for all of them; `shared` has a place for each warp.
__device__ __forceinline__ float block_sum(float x, float *shared) {
    for (int distance = WARP / 2; distance > 0; distance /= 2)
        x += __shfl_xor_sync(WHOLE, x, distance);
    __syncthreads();
    if (threadIdx.x % WARP == 0) shared[threadIdx.x / WARP] = x;
    __syncthreads();
    float sum = 0.0f;
    for (int warp = 0; warp < blockDim.x / WARP; warp++) sum += shared[warp];
    return sum;
}

// A row a block: activation(x + bias), of a width that is a multiple of eight.
template <typename T>
__device__ void bias_activation(const T *x, const T *bias, T *out, int width, int has_bias,
                                int activation) {
    x += (u64)blockIdx.x * width;
    out += (u64)blockIdx.x * width;
    for (int at = threadIdx.x * 8; at < width; at += blockDim.x * 8) {
        float values[8], added[8];
        read(x + at, values);
        if (has_bias) {
            read(bias + at, added);
#pragma unroll
            for (int i = 0; i < 8; i++) values[i] = rounded<T>(values[i] + added[i]);
        }
#pragma unroll
        for (int i = 0; i < 8; i++) values[i] = activated(activation, values[i]);
        write(values, out + at);
    }
}

// A row a block: activation(gate) * up of a row [gate | up], each of a width that is a multiple of
// eight.
template <typename T> __device__ void gated(const T *x, T *out, int width, int activation) {
    x += (u64)blockIdx.x * 2 * width;
    out += (u64)blockIdx.x * width;
    for (int at = threadIdx.x * 8; at < width; at += blockDim.x * 8) {
        float gate[8], up[8];
        read(x + at, gate);
        read(x + width + at, up);
#pragma unroll
        for (int i = 0; i < 8; i++) gate[i] = rounded<T>(activated(activation, gate[i])) * up[i];
        write(gate, out + at);
    }
}

// A row a block: x, x + y, or x + (y + y_bias), for so many `addends`, normalized by its root mean
// square, or by its mean and variance where `centred`. A width that is a multiple of eight; what a
// thread has read of it, up to eight numbers, it keeps.
template <typename T>
__device__ void normalize(const T *x, const T *y, const T *y_bias, const T *weight, const T *bias,
                          T *out, int width, int addends, int centred, float epsilon) {
    __shared__ float shared[WARP];
    const u64 row = (u64)blockIdx.x * width;
    const int reach = blockDim.x * 8;
    float values[8], others[8];
    const auto sums = [&](int at) {
        read(x + row + at, values);
        if (addends > 0) {
            read(y + row + at, others);
            if (addends > 1) {
                float added[8];
                read(y_bias + at, added);
#pragma unroll
                for (int i = 0; i < 8; i++) others[i] = rounded<T>(others[i] + added[i]);
            }
#pragma unroll
            for (int i = 0; i < 8; i++) values[i] = rounded<T>(values[i] + others[i]);
        }
    };
    const bool kept = width <= reach;
    float sum = 0.0f;
    for (int at = threadIdx.x * 8; at < width; at += reach) {
        sums(at);
#pragma unroll
        for (int i = 0; i < 8; i++) sum += centred ? values[i] : values[i] * values[i];
    }
    const float mean = centred ? block_sum(sum, shared) / width : 0.0f;
    if (centred) {
        sum = 0.0f;
        for (int at = threadIdx.x * 8; at < width; at += reach) {
            if (!kept) sums(at);
#pragma unroll
            for (int i = 0; i < 8; i++) sum += (values[i] - mean) * (values[i] - mean);
        }
    }
    const float factor = 1.0f / sqrtf(block_sum(sum, shared) / width + epsilon);
    for (int at = threadIdx.x * 8; at < width; at += reach) {
        if (!kept) sums(at);
        float scale[8], shift[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        read(weight + at, scale);
        if (centred) read(bias + at, shift);
#pragma unroll
        for (int i = 0; i < 8; i++) others[i] = (values[i] - mean) * factor * scale[i] + shift[i];
        write(others, out + row + at);
    }
}

// Rows of `width` numbers, a multiple of eight, a `stride` apart, to where the rows of `out` begin.
template <typename T> __device__ void append_rows(const T *x, T *out, int width, int stride) {
    x += (u64)blockIdx.x * stride;
    out += (u64)blockIdx.x * width;
    for (int at = threadIdx.x * 8; at < width; at += blockDim.x * 8)
        *(Eight<T> *)(out + at) = *(const Eight<T> *)(x + at);
}

// A query of a head a block, blocks (queries, heads). `dim` / 8 neighbouring threads, a power of
// two, read a key together, two keys at a time; the groups of the block, at most 64, read every so
// many keys each, with a softmax as they go (Milakov and Gimelshein 2018), and bring it together at
// the end. `seen` is, for each of `queries`, where what it sees begins, then for each how much that
// is; what it sees are the rows from there on, or, if they are `scattered`, those whose numbers
// stand there in what follows.
template <typename T>
__device__ void attention(const T *q, const T *keys, const T *values, const u32 *seen, T *out,
                          int queries, int scattered, int q_stride, int kv_stride, int heads,
                          int kv_heads, int dim, float scale) {
    __shared__ float largests[64], totals[64], sums[8 * 256];
    const int query = blockIdx.x, head = blockIdx.y;
    const int lanes = dim / 8, lane = threadIdx.x % lanes, group = threadIdx.x / lanes,
              groups = blockDim.x / lanes;
    const u32 count = seen[queries + query];
    const u32 begin = seen[query];
    const u32 *rows = seen + 2 * queries + begin;
    const int column = head / (heads / kv_heads) * dim + lane * 8;
    float scaled[8], sum[8] = {0, 0, 0, 0, 0, 0, 0, 0}, largest = LOWEST, total = 0.0f;
    read(q + (u64)query * q_stride + head * dim + lane * 8, scaled);
#pragma unroll
    for (int i = 0; i < 8; i++) scaled[i] *= scale;
    for (u32 first = group; first - group < count; first += 2 * groups) {
        const u32 second = first + groups;
        const bool is_there = first < count, another = second < count;
        const u32 one = is_there ? first : 0, two = another ? second : 0;
        const u64 at = (u64)(scattered ? rows[one] : begin + one) * kv_stride + column;
        const u64 next_at = (u64)(scattered ? rows[two] : begin + two) * kv_stride + column;
        float key[8], value[8], next_key[8], next_value[8];
        read(keys + at, key);
        read(keys + next_at, next_key);
        read(values + at, value);
        read(values + next_at, next_value);
        float score = 0.0f, next_score = 0.0f;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            score = fmaf(scaled[i], key[i], score);
            next_score = fmaf(scaled[i], next_key[i], next_score);
        }
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            score += __shfl_xor_sync(WHOLE, score, distance);
            next_score += __shfl_xor_sync(WHOLE, next_score, distance);
        }
        if (!another) next_score = LOWEST;
        if (is_there) {
            const float top = fmaxf(largest, fmaxf(score, next_score));
            const float kept = expf(largest - top), weight = expf(score - top),
                        next_weight = expf(next_score - top);
            total = total * kept + weight + next_weight;
#pragma unroll
            for (int i = 0; i < 8; i++)
                sum[i] = fmaf(next_weight, next_value[i], fmaf(weight, value[i], sum[i] * kept));
            largest = top;
        }
    }
    if (lane == 0) {
        largests[group] = largest;
        totals[group] = total;
    }
#pragma unroll
    for (int i = 0; i < 8; i++) sums[group * dim + lane * 8 + i] = sum[i];
    __syncthreads();
    float all = LOWEST;
    for (int g = 0; g < groups; g++) all = fmaxf(all, largests[g]);
    for (int at = threadIdx.x; at < dim; at += blockDim.x) {
        float over = 0.0f, under = 0.0f;
        for (int g = 0; g < groups; g++) {
            // A group that saw nothing has a weight of zero.
            const float weight = totals[g] > 0.0f ? expf(largests[g] - all) : 0.0f;
            over = fmaf(weight, sums[g * dim + at], over);
            under = fmaf(weight, totals[g], under);
        }
        narrow(under > 0.0f ? over / under : 0.0f, out[((u64)query * heads + head) * dim + at]);
    }
}

// Whether one logit stands before another: the larger one, of two that are equal the one of the
// lower column.
__device__ __forceinline__ bool before(float value, int column, float than, int than_column) {
    return value > than || (value == than && column < than_column);
}

// The logit of a block that stands before all others, for all threads.
__device__ __forceinline__ void first_of(float &value, int &column, float *values, int *columns) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        const float other = __shfl_xor_sync(WHOLE, value, distance);
        const int other_column = __shfl_xor_sync(WHOLE, column, distance);
        if (before(other, other_column, value, column)) {
            value = other;
            column = other_column;
        }
    }
    __syncthreads();
    if (threadIdx.x % WARP == 0) {
        values[threadIdx.x / WARP] = value;
        columns[threadIdx.x / WARP] = column;
    }
    __syncthreads();
    for (int warp = 0; warp < blockDim.x / WARP; warp++) {
        if (before(values[warp], columns[warp], value, column)) {
            value = values[warp];
            column = columns[warp];
        }
    }
}

#define NO_COLUMN 0x7fffffff

// A row a block: the `k` largest of the logits x + bias, best first, their columns, -1 where
// there are no more, the largest of all, and the sum of exp(logit - largest): (rows, 2 * k +
// 2). The rows are `stride` apart, a multiple of eight. Each thread looks at every so many eights.
template <typename T>
__device__ void top_k(const T *x, const float *bias, float *out, int width, int stride, int k,
                      int has_bias) {
    __shared__ float values[WARP];
    __shared__ int columns[WARP];
    x += (u64)blockIdx.x * stride;
    out += (u64)blockIdx.x * (2 * k + 2);
    const int step = blockDim.x * 8, places = (width + step - 1) / step * 8;
    float value = LOWEST, sum = 0.0f, over = LOWEST;
    int column = NO_COLUMN;
    for (int first = threadIdx.x * 8; first < width; first += step) {
        float logits[8];
        read(x + first, logits);
        float top = LOWEST;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const int at = first + i;
            if (at >= width) logits[i] = LOWEST;
            else if (has_bias) logits[i] += bias[at];
            if (at < width && before(logits[i], at, value, column)) {
                value = logits[i];
                column = at;
            }
            top = fmaxf(top, logits[i]);
        }
        if (top > over) {
            sum *= expf(over - top);
            over = top;
        }
        if (over > LOWEST) {
#pragma unroll
            for (int i = 0; i < 8; i++) sum += expf(logits[i] - over);
        }
    }
    float last = value;
    int last_column = column;
    first_of(last, last_column, values, columns);
    const float all = block_sum(sum > 0.0f ? sum * expf(over - last) : 0.0f, values);
    if (threadIdx.x == 0) {
        out[2 * k] = last;
        out[2 * k + 1] = all;
    }
    for (int rank = 0; rank < k; rank++) {
        if (threadIdx.x == 0) {
            out[rank] = last;
            out[k + rank] = last_column == NO_COLUMN ? -1.0f : (float)last_column;
        }
        if (last_column == NO_COLUMN || rank + 1 == k) continue;
        // The thread that had the last one looks for its next, with the help of all.
        const int owner = last_column / 8 % blockDim.x;
        float next = LOWEST;
        int next_column = NO_COLUMN;
        for (int place = threadIdx.x; place < places; place += blockDim.x) {
            const int at = place / 8 * step + owner * 8 + place % 8;
            if (at >= width) continue;
            const float logit = wide(x[at]) + (has_bias ? bias[at] : 0.0f);
            if (before(last, last_column, logit, at) && before(logit, at, next, next_column)) {
                next = logit;
                next_column = at;
            }
        }
        first_of(next, next_column, values, columns);
        if (threadIdx.x == owner) {
            value = next;
            column = next_column;
        }
        last = value;
        last_column = column;
        first_of(last, last_column, values, columns);
    }
}

#define FOR_TYPE(T)                                                                                \
    extern "C" __global__ void bias_activation_##T(const T *x, const T *bias, T *out, int width,   \
                                                   int has_bias, int activation) {                 \
        bias_activation<T>(x, bias, out, width, has_bias, activation);                             \
    }                                                                                              \
    extern "C" __global__ void gated_##T(const T *x, T *out, int width, int activation) {          \
        gated<T>(x, out, width, activation);                                                       \
    }                                                                                              \
    extern "C" __global__ void normalize_##T(const T *x, const T *y, const T *y_bias,              \
                                             const T *weight, const T *bias, T *out, int width,    \
                                             int addends, int centred, float epsilon) {            \
        normalize<T>(x, y, y_bias, weight, bias, out, width, addends, centred, epsilon);           \
    }                                                                                              \
    extern "C" __global__ void append_rows_##T(const T *x, T *out, int width, int stride) {        \
        append_rows<T>(x, out, width, stride);                                                     \
    }                                                                                              \
    extern "C" __global__ void attention_##T(const T *q, const T *keys, const T *values,           \
                                             const u32 *seen, T *out, int queries, int scattered,  \
                                             int q_stride, int kv_stride, int heads, int kv_heads, \
                                             int dim, float scale) {                               \
        attention<T>(q, keys, values, seen, out, queries, scattered, q_stride, kv_stride, heads,   \
                     kv_heads, dim, scale);                                                        \
    }                                                                                              \
    extern "C" __global__ void top_k_##T(const T *x, const float *bias, float *out, int width,     \
                                         int stride, int k, int has_bias) {                        \
        top_k<T>(x, bias, out, width, stride, k, has_bias);                                        \
    }

FOR_TYPE(float)
FOR_TYPE(bf16)
FOR_TYPE(f16)
