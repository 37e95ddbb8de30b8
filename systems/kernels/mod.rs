//! The arithmetic: plain functions on slices, without any ECS type.
//!
//! Lengths are asserted at the top of each kernel. Indices mean one thing everywhere: i pre-synaptic neuron, j
//! post-synaptic neuron, k synapse, t step. No kernel fuses a multiplication with an addition, and sums go in a fixed
//! order, so every instruction set gives the same bits.

pub mod math;
pub mod draws;
pub mod integrate;
pub mod synaptic_neurons;
pub mod threshold;
pub mod arrivals;
pub mod top_k;
pub mod decay;
pub mod synapse;
pub mod dendrite;
pub mod rows;
pub mod waiting;
pub mod columns;
pub mod fan_in;
pub mod streams;
pub mod sums;
pub mod poisson;
pub mod units;
pub mod convolution;
pub mod lateral;
pub mod pooling;
pub mod pairs;

/// Neurons in one task of a parallel region, and the reach of one random stream.
pub const CHUNK: usize = 4096;

/// Has the memory of element `k` fetched, where the processor can be asked to. A `k` beyond the end is asked for in vain.
#[inline(always)]
pub fn prefetch<T>(x: &[T], k: usize) {
    fetch::<3, T>(x, k);
}

/// As [`prefetch`], but into the second cache only: far more lines can be on their way there.
#[inline(always)]
pub fn prefetch_far<T>(x: &[T], k: usize) {
    fetch::<2, T>(x, k);
}

/// `HINT` is x86's: 3 for all caches (T0), 2 for the second and those behind it (T1).
#[inline(always)]
fn fetch<const HINT: i32, T>(x: &[T], k: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let address = x.as_ptr().wrapping_add(k);
        // SAFETY: a prefetch reads nothing and never faults, whatever the address; SSE is part of x86-64.
        unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (x, k);
}

/// Asks for large pages behind `x`, which is best done before it is written to: numbers that are read here and there wait
/// for the address of their page as long as for themselves. A hint that may be refused, and then costs speed only.
pub fn prefer_large_pages<T>(x: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        /// The size of a small page, or a multiple of it.
        const PAGE: usize = 1 << 16;
        /// The size of a large page.
        const LARGE: usize = 1 << 21;
        let range = x.as_mut_ptr_range();
        let (begin, end) = ((range.start as usize).next_multiple_of(PAGE), range.end as usize / PAGE * PAGE);
        if end > begin && end - begin >= 2 * LARGE {
            let skipped = begin - range.start as usize;
            // SAFETY: `begin .. end` lies within memory that `x` borrows, and the advice changes nothing that is in it.
            unsafe { libc::madvise(range.start.byte_add(skipped).cast(), end - begin, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = x;
}

/// Compiles a kernel several times, for the baseline instruction set, for AVX2 and, where it says `wide;`, for AVX-512, and
/// picks at run time what the processor has.
///
/// One binary then runs everywhere, with the same results: wider registers do the same operations. They are not always
/// faster: which kernels are wide was measured.
macro_rules! simd {
    (
        @ $wide:literal
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($generic:ident : $bound:path),+>)? ($($arg:ident : $kind:ty),* $(,)?) $(-> $out:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<$($generic: $bound),+>)? ($($arg: $kind),*) $(-> $out)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn plain $(<$($generic: $bound),+>)? ($($arg: $kind),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn avx2 $(<$($generic: $bound),+>)? ($($arg: $kind),*) $(-> $out)? {
                    plain($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512 $(<$($generic: $bound),+>)? ($($arg: $kind),*) $(-> $out)? {
                    plain($($arg),*)
                }
                if $wide && $crate::kernels::has_avx512() {
                    // SAFETY: the processor has just said that it has all that `avx512` asks for.
                    return unsafe { avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has just said that it has AVX2, the only thing that `avx2` asks for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
    (wide; $($kernel:tt)*) => { $crate::kernels::simd! { @ true $($kernel)* } };
    ($($kernel:tt)*) => { $crate::kernels::simd! { @ false $($kernel)* } };
}
pub(crate) use simd;

/// Whether the processor has those parts of AVX-512 that kernels are compiled for.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_avx512() -> bool {
    use std::arch::is_x86_feature_detected;
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}
