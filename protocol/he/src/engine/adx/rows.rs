//! The two inner loops, in assembly: a compiler keeps one chain of carries in
//! the flags at best, these keep two.
//!
//! Eight words of a number, the *tile*, lie in memory that the first-level
//! cache never gives up; eight accumulators lie in registers; the other factor
//! streams past, word by word:
//!
//! ```text
//!   x = next word          r0..r7 += tile * x      (lows by adcx, highs by adox)
//!                          r0     += t[i]          (first link of the chain of highs)
//!   t[i] = r0              r0..r7  = r1..r7, top
//! ```
//!
//! Nothing is lost at the top: eight words, one word and a product of eight
//! words and one are together at most
//! `(2^512 - 1) + (2^64 - 1) + (2^512 - 1)(2^64 - 1) = 2^576 - 1`.
//!
//! Registers are renamed by writing the step out eight times. Neither loop's
//! path or addresses depend on anything but the number of blocks.

use core::arch::naked_asm;

/// Words of a tile.
pub(super) const TILE: usize = 8;

/// Eight accumulators.
#[repr(C, align(64))]
#[derive(Clone, Copy, Default)]
pub(super) struct Accumulators(pub(super) [u64; TILE]);

impl zeroize::DefaultIsZeroes for Accumulators {}

/// Proof that the processor has `mulx`, `adcx`, `adox` (BMI2, ADX) and AVX2.
/// There is no other way to one than [`Proof::find`].
#[derive(Clone, Copy)]
pub(super) struct Proof(());

impl Proof {
    pub(super) fn find() -> Option<Self> {
        (is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("adx")
            && is_x86_feature_detected!("avx2"))
        .then_some(Self(()))
    }
}

/// One word `rdx` past the tile at `rsi`; the lowest accumulator is complete.
macro_rules! row {
    ($r0:literal $r1:literal $r2:literal $r3:literal $r4:literal $r5:literal $r6:literal $r7:literal) => {
        concat!(
            "mulx rcx, rax, [rsi]\n",
            "adcx ",
            $r0,
            ", rax\n",
            "adox ",
            $r1,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 8]\n",
            "adcx ",
            $r1,
            ", rax\n",
            "adox ",
            $r2,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 16]\n",
            "adcx ",
            $r2,
            ", rax\n",
            "adox ",
            $r3,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 24]\n",
            "adcx ",
            $r3,
            ", rax\n",
            "adox ",
            $r4,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 32]\n",
            "adcx ",
            $r4,
            ", rax\n",
            "adox ",
            $r5,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 40]\n",
            "adcx ",
            $r5,
            ", rax\n",
            "adox ",
            $r6,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 48]\n",
            "adcx ",
            $r6,
            ", rax\n",
            "adox ",
            $r7,
            ", rcx\n",
            "mulx rcx, rax, [rsi + 56]\n",
            "adcx ",
            $r7,
            ", rax\n",
        )
    };
}

/// What was the lowest accumulator becomes the highest: the last high word
/// with both carries. It is zero before.
macro_rules! top {
    ($r0:literal) => {
        concat!("adox rcx, ", $r0, "\n", "adcx ", $r0, ", rcx\n")
    };
}

/// A step of [`stream`].
macro_rules! streamed {
    ($at:literal, $r0:literal $($r:literal)*) => {
        concat!(
            "mov rdx, [rbx + ", $at, "]\n",
            "xor eax, eax\n", // Both carries are nothing.
            "adox ", $r0, ", [rdi + ", $at, "]\n",
            row!($r0 $($r)*),
            "mov [rdi + ", $at, "], ", $r0, "\n",
            "mov ", $r0, ", 0\n", // Which leaves the carries alone.
            top!($r0),
        )
    };
}

/// A step of [`cancel`].
macro_rules! cancelled {
    ($at:literal, $r0:literal $($r:literal)*) => {
        concat!(
            "mov rdx, ", $r0, "\n",
            "imul rdx, rbx\n",
            "mov [rbp + ", $at, "], rdx\n",
            "xor eax, eax\n",
            row!($r0 $($r)*),
            top!($r0), // It is zero: that is what the quotient is for.
        )
    };
}

/// Eight steps, each with the accumulators one further.
macro_rules! eight {
    ($step:ident) => {
        concat!(
            $step!("0", "r8" "r9" "r10" "r11" "r12" "r13" "r14" "r15"),
            $step!("8", "r9" "r10" "r11" "r12" "r13" "r14" "r15" "r8"),
            $step!("16", "r10" "r11" "r12" "r13" "r14" "r15" "r8" "r9"),
            $step!("24", "r11" "r12" "r13" "r14" "r15" "r8" "r9" "r10"),
            $step!("32", "r12" "r13" "r14" "r15" "r8" "r9" "r10" "r11"),
            $step!("40", "r13" "r14" "r15" "r8" "r9" "r10" "r11" "r12"),
            $step!("48", "r14" "r15" "r8" "r9" "r10" "r11" "r12" "r13"),
            $step!("56", "r15" "r8" "r9" "r10" "r11" "r12" "r13" "r14"),
        )
    };
}

macro_rules! enter {
    () => {
        "push rbx\npush rbp\npush r12\npush r13\npush r14\npush r15\npush r8"
    };
}

/// Accumulators from `[rax]`.
macro_rules! load {
    () => {
        concat!(
            "mov r8, [rax]\nmov r9, [rax + 8]\nmov r10, [rax + 16]\nmov r11, [rax + 24]\n",
            "mov r12, [rax + 32]\nmov r13, [rax + 40]\nmov r14, [rax + 48]\nmov r15, [rax + 56]",
        )
    };
}

macro_rules! leave {
    () => {
        concat!(
            "pop rax\n",
            "mov [rax], r8\nmov [rax + 8], r9\nmov [rax + 16], r10\nmov [rax + 24], r11\n",
            "mov [rax + 32], r12\nmov [rax + 40], r13\nmov [rax + 48], r14\nmov [rax + 56], r15\n",
            "pop r15\npop r14\npop r13\npop r12\npop rbp\npop rbx\nret",
        )
    };
}

/// `blocks` times eight words of `b` past the tile.
///
/// # Safety
/// The processor has BMI2 and ADX. `t` is valid for reads and writes and `b`
/// for reads of `8 blocks` words, `tile` for reads and `acc` for reads and
/// writes of eight; `blocks` is not zero; `t` and `acc` overlap nothing else.
#[unsafe(naked)]
unsafe extern "sysv64" fn stream_words(
    t: *mut u64,
    tile: *const u64,
    b: *const u64,
    blocks: usize,
    acc: *mut u64,
) {
    naked_asm!(
        enter!(),
        "mov rbx, rdx",
        "mov rbp, rcx",
        "mov rax, r8",
        load!(),
        ".p2align 5",
        "2:",
        eight!(streamed),
        "lea rbx, [rbx + 64]",
        "lea rdi, [rdi + 64]",
        "dec rbp",
        "jnz 2b",
        leave!(),
    )
}

/// Eight steps of Montgomery's reduction on the accumulators: the quotients,
/// and what is left of the accumulators above the words that became zero.
///
/// # Safety
/// The processor has BMI2 and ADX. `tile` is valid for reads, `quotients` for
/// writes and `acc` for reads and writes of eight words, and they do not
/// overlap.
#[unsafe(naked)]
unsafe extern "sysv64" fn cancel_words(
    quotients: *mut u64,
    tile: *const u64,
    inverse: u64,
    unused: usize,
    acc: *mut u64,
) {
    naked_asm!(
        enter!(),
        "mov rbp, rdi",
        "mov rbx, rdx",
        "mov rax, r8",
        load!(),
        eight!(cancelled),
        leave!(),
    )
}

/// `t + tile b + acc`: the low words in `t`, which is as long as `b`, the high
/// ones in `acc`. Both lengths are the same multiple of eight; what is longer
/// of the two is left alone.
pub(super) fn stream(
    _: Proof,
    t: &mut [u64],
    tile: &[u64; TILE],
    b: &[u64],
    acc: &mut Accumulators,
) {
    let blocks = t.len().min(b.len()) / TILE;
    if blocks == 0 {
        return;
    }
    // SAFETY: the proof shows that the instructions are there; both slices
    // hold `blocks` tiles, and exclusive references overlap nothing.
    unsafe {
        stream_words(
            t.as_mut_ptr(),
            tile.as_ptr(),
            b.as_ptr(),
            blocks,
            acc.0.as_mut_ptr(),
        );
    }
}

/// The quotients that make eight words, given in `acc`, zero when as many
/// times the modulus is added, whose lowest words are `tile` and whose negated
/// inverse is `inverse`. What is then left above them is in `acc`.
pub(super) fn cancel(
    _: Proof,
    tile: &[u64; TILE],
    inverse: u64,
    acc: &mut Accumulators,
) -> Accumulators {
    let mut quotients = Accumulators::default();
    // SAFETY: the proof shows that the instructions are there; all are
    // references to eight words, the exclusive ones overlap nothing.
    unsafe {
        cancel_words(
            quotients.0.as_mut_ptr(),
            tile.as_ptr(),
            inverse,
            0,
            acc.0.as_mut_ptr(),
        );
    }
    quotients
}
