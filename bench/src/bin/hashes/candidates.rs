//! The Argon2id implementations that are compared, each behind the same call.

/// What is hashed, and at what cost.
pub(crate) struct Input {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    pub(crate) password: Vec<u8>,
    pub(crate) salt: Vec<u8>,
    /// The secret of RFC 9106, empty for none.
    pub(crate) key: Vec<u8>,
    /// The associated data of RFC 9106, empty for none.
    pub(crate) data: Vec<u8>,
    pub(crate) length: usize,
}

/// One implementation with whatever it keeps from hash to hash.
pub(crate) trait Argon2id {
    /// The tag of an input.
    fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String>;
}

/// An implementation, and what its interface lets one ask for.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) make: fn() -> Box<dyn Argon2id>,
    pub(crate) takes: Takes,
    /// Run with an allocator that keeps what is freed, in huge pages.
    pub(crate) kept_by_allocator: bool,
}

/// Which inputs an interface has a place for.
#[derive(Clone, Copy)]
pub(crate) struct Takes {
    pub(crate) lanes: bool,
    pub(crate) key: bool,
    pub(crate) data: bool,
    pub(crate) any_salt: bool,
}

impl Takes {
    const ALL: Self = Self { lanes: true, key: true, data: true, any_salt: true };

    /// Whether an input is within it.
    pub(crate) fn admit(self, input: &Input) -> bool {
        (self.lanes || input.lanes == 1)
            && (self.key || input.key.is_empty())
            && (self.data || input.data.is_empty())
            && (self.any_salt || input.salt.len() == 16)
    }
}

/// The candidates of this build.
pub(crate) fn all() -> Vec<Candidate> {
    let mut all = Vec::new();
    all.extend([
        Candidate { name: "argon2-rust-kept", make: || Box::new(Simd(None)), takes: Takes::ALL, kept_by_allocator: false },
        Candidate { name: "argon2-rust", make: || Box::new(SimdAnew), takes: Takes::ALL, kept_by_allocator: false },
        Candidate {
            name: "argon2-kept-huge",
            make: || Box::new(Portable::default()),
            takes: Takes::ALL,
            kept_by_allocator: true,
        },
        Candidate { name: "argon2-kept", make: || Box::new(Portable::default()), takes: Takes::ALL, kept_by_allocator: false },
        Candidate { name: "argon2", make: || Box::new(PortableAnew), takes: Takes::ALL, kept_by_allocator: false },
    ]);
    #[cfg(feature = "reference")]
    all.extend(reference::all());
    #[cfg(feature = "sodium")]
    all.extend(sodium::all());
    all
}

/// argon2-rust, with its memory kept and wiped by itself.
struct Simd(Option<argon2_rust::Hasher>);

impl Argon2id for Simd {
    fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
        let argon2 = simd(input)?;
        let hasher = self.0.get_or_insert_with(|| argon2.hasher());
        hasher.set_argon2(argon2);
        let mut tag = vec![0; input.length];
        let hashed = hasher.hash_into_with_ad(&input.password, &input.salt, &input.key, &input.data, &mut tag);
        hashed.map_err(|error| error.to_string()).map(|()| tag)
    }
}

/// argon2-rust, with new memory for each hash.
struct SimdAnew;

impl Argon2id for SimdAnew {
    fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
        let mut tag = vec![0; input.length];
        let hashed = simd(input)?.hash_into_with_ad(&input.password, &input.salt, &input.key, &input.data, &mut tag);
        hashed.map_err(|error| error.to_string()).map(|()| tag)
    }
}

fn simd(input: &Input) -> Result<argon2_rust::Argon2, String> {
    use argon2_rust::params::{Memory, TagLen};
    let params = argon2_rust::Params::builder()
        .memory(Memory::kib(input.memory_kib.into()))
        .passes(input.passes)
        .lanes(input.lanes)
        .tag_len(TagLen::bytes(input.length as u64))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(argon2_rust::Argon2::new(argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13, params))
}

/// RustCrypto's argon2, with its memory kept and wiped here.
#[derive(Default)]
struct Portable(Vec<argon2::Block>);

impl Argon2id for Portable {
    fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
        let argon2 = portable(input)?;
        self.0.resize(argon2.params().block_count().max(self.0.len()), argon2::Block::default());
        let mut tag = vec![0; input.length];
        let hashed = argon2.hash_password_into_with_memory(&input.password, &input.salt, &mut tag, &mut self.0);
        self.0.fill(argon2::Block::default());
        hashed.map_err(|error| error.to_string()).map(|()| tag)
    }
}

/// RustCrypto's argon2, as it allocates by itself. It wipes nothing.
struct PortableAnew;

impl Argon2id for PortableAnew {
    fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
        let mut tag = vec![0; input.length];
        let hashed = portable(input)?.hash_password_into(&input.password, &input.salt, &mut tag);
        hashed.map_err(|error| error.to_string()).map(|()| tag)
    }
}

fn portable(input: &Input) -> Result<argon2::Argon2<'_>, String> {
    let mut params = argon2::ParamsBuilder::new();
    params.m_cost(input.memory_kib).t_cost(input.passes).p_cost(input.lanes).output_len(input.length);
    params.data(argon2::AssociatedData::new(&input.data).map_err(|error| error.to_string())?);
    let params = params.build().map_err(|error| error.to_string())?;
    argon2::Argon2::new_with_secret(&input.key, argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .map_err(|error| error.to_string())
}

#[cfg(feature = "reference")]
mod reference {
    use super::{Argon2id, Candidate, Input, Takes};

    pub(super) fn all() -> [Candidate; 3] {
        let takes = Takes { data: false, ..Takes::ALL };
        [
            Candidate { name: "reference-kept-huge", make: || Box::new(Reference), takes, kept_by_allocator: true },
            Candidate { name: "reference", make: || Box::new(Reference), takes, kept_by_allocator: false },
            Candidate { name: "rust-argon2", make: || Box::new(Plain), takes: Takes::ALL, kept_by_allocator: false },
        ]
    }

    /// The reference's C code. With several lanes, as many threads.
    struct Reference;

    impl Argon2id for Reference {
        fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
            let length = u32::try_from(input.length).map_err(|error| error.to_string())?;
            let mut hasher = argon2_kdf::Hasher::new()
                .algorithm(argon2_kdf::Algorithm::Argon2id)
                .custom_salt(&input.salt)
                .hash_length(length)
                .iterations(input.passes)
                .memory_cost_kib(input.memory_kib)
                .threads(input.lanes);
            if !input.key.is_empty() {
                hasher = hasher.secret(argon2_kdf::Secret::using(&input.key));
            }
            hasher.hash(&input.password).map(|hash| hash.as_bytes().to_vec()).map_err(|error| error.to_string())
        }
    }

    /// rust-argon2. It wipes nothing.
    struct Plain;

    impl Argon2id for Plain {
        fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
            let config = rust_argon2::Config {
                ad: &input.data,
                hash_length: u32::try_from(input.length).map_err(|error| error.to_string())?,
                lanes: input.lanes,
                mem_cost: input.memory_kib,
                secret: &input.key,
                time_cost: input.passes,
                variant: rust_argon2::Variant::Argon2id,
                version: rust_argon2::Version::Version13,
                ..rust_argon2::Config::default()
            };
            rust_argon2::hash_raw(&input.password, &input.salt, &config).map_err(|error| error.to_string())
        }
    }
}

#[cfg(feature = "sodium")]
mod sodium {
    use libsodium_rs::{crypto_pwhash, ensure_init};

    use super::{Argon2id, Candidate, Input, Takes};

    pub(super) fn all() -> [Candidate; 2] {
        let takes = Takes { lanes: false, key: false, data: false, any_salt: false };
        [
            Candidate { name: "libsodium-kept-huge", make: || Box::new(Sodium), takes, kept_by_allocator: true },
            Candidate { name: "libsodium", make: || Box::new(Sodium), takes, kept_by_allocator: false },
        ]
    }

    struct Sodium;

    impl Argon2id for Sodium {
        fn hash(&mut self, input: &Input) -> Result<Vec<u8>, String> {
            ensure_init().map_err(|error| error.to_string())?;
            let (bytes, algorithm) = (input.memory_kib as usize * 1024, crypto_pwhash::ALG_ARGON2ID13);
            crypto_pwhash::pwhash(input.length, &input.password, &input.salt, input.passes.into(), bytes, algorithm)
                .map_err(|error| error.to_string())
        }
    }
}
