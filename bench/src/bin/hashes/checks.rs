//! Do the candidates compute Argon2id, all the same?

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::candidates::{Candidate, Input};

/// RFC 9106, section 5.3.
const TAG_OF_THE_RFC: [u8; 32] = [
    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d,
    0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
];

/// How many candidates had a place for the vector, and how many tags were compared with each other.
pub(crate) struct Checked {
    pub(crate) with_rfc: usize,
    pub(crate) with_each_other: usize,
}

/// Hashes the RFC's vector and `count` random inputs with every candidate that has a place for them.
///
/// # Errors
/// The first candidate that disagrees.
pub(crate) fn check(candidates: &[Candidate], count: u32, seed: u64) -> Result<Checked, String> {
    let with_rfc = compare(candidates, &vector(), Some(TAG_OF_THE_RFC.to_vec()))?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut with_each_other = 0;
    for _ in 0..count {
        with_each_other += compare(candidates, &any(&mut random), None)?;
    }
    Ok(Checked { with_rfc, with_each_other })
}

fn vector() -> Input {
    Input {
        memory_kib: 32,
        passes: 3,
        lanes: 4,
        password: vec![1; 32],
        salt: vec![2; 16],
        key: vec![3; 8],
        data: vec![4; 12],
        length: 32,
    }
}

/// Each second one is of the kind that every interface has a place for.
fn any(random: &mut StdRng) -> Input {
    let common = random.random::<bool>();
    let lanes = if common { 1 } else { random.random_range(1..=16) };
    let mut bytes = |most: usize| -> Vec<u8> {
        let length = random.random_range(0..=most);
        (0..length).map(|_| random.random()).collect()
    };
    // RustCrypto takes no more than 32 bytes of associated data.
    let (password, mut salt, key, data) = (bytes(200), bytes(40), bytes(40), bytes(32));
    salt.resize(if common { 16 } else { salt.len().max(8) }, 5);
    let (key, data) = if common { Default::default() } else { (key, data) };
    let memory_kib = 8 * lanes + random.random_range(0..4096);
    Input {
        memory_kib,
        passes: random.random_range(1..=4),
        lanes,
        password,
        salt,
        key,
        data,
        length: random.random_range(16..=80),
    }
}

fn compare(candidates: &[Candidate], input: &Input, expected: Option<Vec<u8>>) -> Result<usize, String> {
    let (mut expected, mut compared) = (expected, 0);
    for candidate in candidates.iter().filter(|candidate| candidate.takes.admit(input)) {
        let tag = (candidate.make)().hash(input).map_err(|error| format!("{}: {error}", candidate.name))?;
        compared += 1;
        if *expected.get_or_insert_with(|| tag.clone()) != tag {
            let Input { memory_kib, passes, lanes, length, .. } = input;
            return Err(format!("{} disagrees at m={memory_kib} t={passes} p={lanes}, {length} bytes", candidate.name));
        }
    }
    Ok(compared)
}
