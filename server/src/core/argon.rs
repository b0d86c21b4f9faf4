//! Argon2id (RFC 9106), by the fastest code that the processor runs.
//!
//! Which code that is (AVX-512, AVX2, SSE2, NEON or portable) argon2-rust decides when it is first asked, so that one program runs
//! everywhere. It keeps its memory from hash to hash, in huge pages where the system gives them: the next hash writes over all of it before
//! it reads any. When no other waits, [`Argon2id::rest`] leaves nothing of the last one behind.

use argon2::{AssociatedData, Params, ParamsBuilder};
use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Hasher, Version};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::Fault;

/// The tag of RFC 9106, section 5.3.
const TAG_OF_THE_RFC: [u8; 32] = [
    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d,
    0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
];

/// Computes hashes, with memory of its own: one for each hashing thread.
pub(in crate::core) struct Argon2id {
    hasher: Hasher,
    /// The most memory that is kept from hash to hash, in blocks of 1 KiB.
    keeps: usize,
}

impl Argon2id {
    /// Keeps the memory of a hash of these parameters, once there was one.
    ///
    /// # Errors
    /// A fault when the code for this processor computes something else than Argon2id.
    pub(in crate::core) fn new(params: &Params) -> Result<Self, Fault> {
        let hasher = configured(params, Params::DEFAULT_OUTPUT_LEN)?.hasher();
        let mut this = Self { hasher, keeps: params.block_count() };
        this.prove(&TAG_OF_THE_RFC)?;
        Ok(this)
    }

    /// Computes the RFC's vector: each processor has code of its own, and not every kind was there when this was tested. What a wrong
    /// one computes would be stored, and no other machine could compare with it.
    fn prove(&mut self, expected: &[u8; 32]) -> Result<(), Fault> {
        let mut params = ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4).data(AssociatedData::new(&[4; 12]).map_err(Fault::internal)?);
        let params = params.build().map_err(Fault::internal)?;
        let tag = self.compute(&params, &[1; 32], &[2; 16], &[3; 8], expected.len())?;
        self.forget();
        if tag.ct_eq(expected.as_slice()).into() {
            return Ok(());
        }
        Err(Fault::internal(format!("Argon2id is computed wrongly on this processor ({})", argon2_rust::detected_backend())))
    }

    /// A tag of `length` bytes.
    ///
    /// # Errors
    /// A fault when there is not so much memory.
    pub(in crate::core) fn derive(
        &mut self,
        params: &Params,
        password: &[u8],
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let tag = self.compute(params, password, salt, &[], length);
        // A stored hash that costs more than the setting must not have its memory kept ever after.
        if self.hasher.reserved_blocks() > self.keeps {
            self.forget();
        }
        tag
    }

    fn compute(
        &mut self,
        params: &Params,
        password: &[u8],
        salt: &[u8],
        key: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.hasher.set_argon2(configured(params, length)?);
        let mut tag = Zeroizing::new(vec![0; length]);
        self.hasher.hash_into_with_ad(password, salt, key, params.data(), &mut tag).map_err(Fault::internal)?;
        Ok(tag)
    }

    /// To be called when no hash waits: gives the memory back to the system, and wipes what the last one has left on the stack. Nothing
    /// remains from which a password could be guessed faster than by hashing.
    pub(in crate::core) fn rest(&mut self) {
        self.forget();
        wipe_stack();
    }

    /// Gives the memory back. The next hash takes new.
    pub(in crate::core) fn forget(&mut self) {
        self.hasher.clear();
    }

    /// The blocks of memory that are kept for the next hash.
    #[cfg(test)]
    pub(in crate::core) fn kept(&self) -> usize {
        self.hasher.reserved_blocks()
    }

    /// The blocks of memory that the last hash has worked in: they tell what was computed.
    #[cfg(test)]
    pub(in crate::core) fn worked_in(&self) -> u32 {
        self.hasher.params().memory_blocks()
    }
}

/// Wipes the stack below its caller, by far more than a hash uses. The state of Blake2b is there, and the hash H0 of RFC 9106, of which
/// a guess costs next to nothing.
#[inline(never)]
fn wipe_stack() {
    [0_u8; 32 * 1024].zeroize();
}

/// The lanes are computed one after the other, on the thread that asks: how many hash at once is the setting's business.
fn configured(params: &Params, length: usize) -> Result<Argon2, Fault> {
    let length = u64::try_from(length).map_err(Fault::internal)?;
    let params = argon2_rust::Params::builder()
        .memory(Memory::kib(params.m_cost().into()))
        .passes(params.t_cost())
        .lanes(params.p_cost())
        .threads(1)
        .tag_len(TagLen::bytes(length))
        .build()
        .map_err(Fault::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(memory_kib: u32, passes: u32, lanes: u32) -> Params {
        Params::new(memory_kib, passes, lanes, None).unwrap()
    }

    /// What another implementation computes.
    fn by_another(params: &Params, password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
        let mut tag = vec![0; length];
        let another = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params.clone());
        another.hash_password_into(password, salt, &mut tag).unwrap();
        tag
    }

    #[test]
    fn a_processor_that_computes_something_else_is_refused() {
        let mut argon2 = Argon2id::new(&params(64, 1, 1)).unwrap();
        assert!(argon2.prove(&TAG_OF_THE_RFC).is_ok());
        let mut wrong = TAG_OF_THE_RFC;
        wrong[31] ^= 1;
        assert!(argon2.prove(&wrong).is_err());
    }

    /// Run on emulated processors too (`scripts/test-processors.sh`), where it shows that old ones get code they have.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_code_is_what_the_processor_has() {
        use argon2_rust::Backend;
        let fastest = if std::arch::is_x86_feature_detected!("avx512f") {
            Backend::Avx512
        } else if std::arch::is_x86_feature_detected!("avx2") {
            Backend::Avx2
        } else {
            Backend::Sse2
        };
        assert_eq!(argon2_rust::detected_backend(), fastest);
    }

    proptest! {
        /// With one memory for all, as on a hashing thread.
        #[test]
        fn another_implementation_agrees(
            inputs in prop::collection::vec(
                (1..=16u32, 0..1024u32, 1..=4u32, prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 8..=64), 10..=64usize),
                1..4,
            )
        ) {
            let mut argon2 = Argon2id::new(&params(512, 1, 1)).unwrap();
            for (lanes, more, passes, password, salt, length) in inputs {
                let params = params(8 * lanes + more, passes, lanes);
                let tag = argon2.derive(&params, &password, &salt, length).unwrap();
                prop_assert_eq!(&*tag, &by_another(&params, &password, &salt, length));
            }
        }
    }

    #[test]
    fn the_largest_memory_and_the_most_lanes_agree() {
        let mut argon2 = Argon2id::new(&params(64, 1, 1)).unwrap();
        for params in [params(19 * 1024, 2, 1), params(64 * 1024, 1, 16), params(19 * 1024 + 3, 1, 3)] {
            let tag = argon2.derive(&params, b"password", &[7; 16], 32).unwrap();
            assert_eq!(*tag, by_another(&params, b"password", &[7; 16], 32));
        }
    }

    #[test]
    fn no_more_memory_is_kept_than_the_setting_asks_for() {
        let mut argon2 = Argon2id::new(&params(64, 1, 1)).unwrap();
        assert_eq!(argon2.hasher.reserved_blocks(), 0, "none before the first hash");
        for (memory_kib, kept) in [(64, 64), (32, 64), (4096, 0), (32, 32), (64, 64)] {
            argon2.derive(&params(memory_kib, 1, 1), b"password", &[7; 16], 32).unwrap();
            assert_eq!((argon2.worked_in(), argon2.hasher.reserved_blocks()), (memory_kib, kept));
        }
    }

    #[cfg(target_os = "linux")]
    mod memory {
        use std::fs::{File, read_to_string};
        use std::os::unix::fs::FileExt as _;

        use super::*;

        /// How often a block is in the memory of this process. Given as its complement, for the test's own copy would be found.
        fn found(complement: &[u64]) -> usize {
            let memory = File::open("/proc/self/mem").unwrap();
            let mut count = 0;
            for line in read_to_string("/proc/self/maps").unwrap().lines().filter(|line| line.contains(" rw")) {
                let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
                let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
                // In pieces of whole blocks, which the memory of a hash is aligned to.
                let mut piece = vec![0; 1 << 20];
                for at in (from..to).step_by(1 << 20) {
                    let length = usize::try_from((to - at).min(1 << 20)).unwrap();
                    if memory.read_exact_at(&mut piece[..length], at).is_ok() {
                        count += piece[..length].chunks_exact(64).filter(|bytes| is(bytes, complement)).count();
                    }
                }
                piece.fill(0);
            }
            count
        }

        fn is(bytes: &[u8], complement: &[u64]) -> bool {
            bytes.chunks_exact(8).zip(complement).all(|(word, not)| u64::from_le_bytes(word.try_into().unwrap()) == !not)
        }

        #[test]
        fn nothing_of_a_hash_is_left() {
            let params = params(4096, 2, 1);
            let (mut expected, mut blocks) = ([0; 32], vec![argon2::Block::default(); params.block_count()]);
            let another = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params.clone());
            another.hash_password_into_with_memory(b"password", &[7; 16], &mut expected, &mut blocks).unwrap();
            let complements: Vec<[u64; 8]> =
                [5, 1000, 4000].map(|at: usize| std::array::from_fn(|word| !blocks[at].as_ref()[word])).to_vec();
            for complement in &complements {
                assert!(found(complement) > 0, "what is there is found");
            }
            blocks.fill(argon2::Block::default());
            let mut argon2 = Argon2id::new(&params).unwrap();
            let tag = argon2.derive(&params, b"password", &[7; 16], 32).unwrap();
            assert_eq!(*tag, expected);
            assert_eq!(argon2.hasher.reserved_blocks(), 4096, "kept for the next");
            argon2.rest();
            assert_eq!(argon2.hasher.reserved_blocks(), 0);
            for complement in &complements {
                assert_eq!(found(complement), 0);
            }
        }

        /// The mapping of this thread's stack, as it is now.
        fn stack() -> Vec<u8> {
            let here = 0_u8;
            let here = (&raw const here) as u64;
            let maps = read_to_string("/proc/self/maps").unwrap();
            let bounds = maps.lines().filter_map(|line| line.split_once(' ')?.0.split_once('-')).find_map(|(from, to)| {
                let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
                (from..to).contains(&here).then_some((from, to))
            });
            let (from, to) = bounds.unwrap();
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            File::open("/proc/self/mem").unwrap().read_exact_at(&mut bytes, from).unwrap();
            bytes
        }

        /// H0 of the hash below, with the bits of 0xa5 turned, lest it be found where it is written.
        const TURNED: [u8; 64] = [
            0xc8, 0x2f, 0xa1, 0xd7, 0xfa, 0x44, 0xc6, 0x4c, 0xf7, 0x4d, 0x76, 0x01, 0x81, 0xdf, 0x78, 0xc8, 0x18, 0x50, 0x47,
            0x44, 0x3c, 0x41, 0xa9, 0x6f, 0xef, 0xaa, 0xff, 0x5e, 0x08, 0x8e, 0xfe, 0xb6, 0xb5, 0x13, 0x2f, 0x1a, 0xd4, 0xb9,
            0x7c, 0x26, 0x0b, 0xb7, 0x93, 0x87, 0x83, 0x21, 0xea, 0xc1, 0xfd, 0x07, 0x6c, 0xcc, 0x4b, 0x90, 0xea, 0xd7, 0x54,
            0x9d, 0x00, 0x60, 0x20, 0x28, 0x71, 0xd4,
        ];

        fn is_left() -> bool {
            stack().windows(64).any(|bytes| bytes.iter().zip(TURNED).all(|(byte, turned)| byte ^ 0xa5 == turned))
        }

        /// In a frame of its own, which ends before the next begins.
        #[inline(never)]
        fn what_is_left_is_found() {
            let left = std::hint::black_box(TURNED.map(|byte| byte ^ 0xa5));
            assert!(is_left(), "{}", std::hint::black_box(left).len());
        }

        #[test]
        fn nothing_is_left_on_the_stack() {
            what_is_left_is_found();
            let params = params(64, 1, 1);
            let mut argon2 = Argon2id::new(&params).unwrap();
            argon2.derive(&params, b"nobody else has this password", b"nor this salt...", 32).unwrap();
            argon2.rest();
            assert!(!is_left());
        }
    }
}
