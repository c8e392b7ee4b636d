//! Those whom a file names, known by a key or by a client certificate.
//!
//! A key has 256 random bits, so its plain SHA-256 is as hard to turn back as the key is to guess.
//! Slow hashes (argon2, bcrypt) are for passwords that people make up; here they would only make
//! every call dearer.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Grants, Identity};

/// The most keys in a file: all of them are compared at every call.
const MAX_KEYS: usize = 1000;

const MAX_NAME_BYTES: usize = 128;

/// What keys begin with, so that people and scanners of secrets know them.
const KEY_PREFIX: &str = "cdk_";

const KEY_BYTES: usize = 32;

/// Everyone whom the file names.
#[derive(Debug, Default)]
pub struct Principals {
    keys: Vec<(KeyHash, Identity)>,
    certificates: FxHashMap<String, Identity>,
}

type KeyHash = [u8; 32];

/// What is wrong with a file of principals; it never says what the file holds but names and scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrincipals {
    #[error(
        "line {0}: not as a principal is written: [[principals]] with name, scopes, and key_sha256 or \
         certificates, which are lists of strings"
    )]
    Syntax(usize),
    #[error("{0:?} is no name: use 1 to 128 letters, digits and -._@/")]
    Name(String),
    #[error("two principals are called {0:?}")]
    SameName(String),
    #[error("{name:?} has the scope {scope:?}: {source}")]
    Scope { name: String, scope: String, source: super::InvalidGrant },
    #[error("{0:?} has a key_sha256 that is not 64 hexadecimal digits; copydesk key makes one")]
    Hash(String),
    #[error("{0:?} has a key or certificate that another principal has, too, or has it twice")]
    Shared(String),
    #[error("{0:?} can be known by nothing: give key_sha256 or certificates")]
    Unknowable(String),
    #[error("it names nobody")]
    Nobody,
    #[error("there are more than {MAX_KEYS} keys")]
    TooManyKeys,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    principals: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    scopes: Vec<String>,
    #[serde(default)]
    key_sha256: Vec<String>,
    #[serde(default)]
    certificates: Vec<String>,
}

impl Principals {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Says what is wrong first.
    pub fn parse(text: &str) -> Result<Self, InvalidPrincipals> {
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            InvalidPrincipals::Syntax(before.matches('\n').count() + 1)
        })?;
        // Most likely it was cut off, and would lock everyone out.
        if file.principals.is_empty() {
            return Err(InvalidPrincipals::Nobody);
        }
        let mut principals = Self::default();
        let mut names = FxHashSet::default();
        for entry in file.principals {
            if !is_name(&entry.name) {
                return Err(InvalidPrincipals::Name(entry.name));
            }
            if !names.insert(entry.name.clone()) {
                return Err(InvalidPrincipals::SameName(entry.name));
            }
            principals.add(entry)?;
        }
        if principals.keys.len() > MAX_KEYS {
            return Err(InvalidPrincipals::TooManyKeys);
        }
        Ok(principals)
    }

    fn add(&mut self, entry: Entry) -> Result<(), InvalidPrincipals> {
        let Entry { name, scopes, key_sha256, certificates } = entry;
        if key_sha256.is_empty() && certificates.is_empty() {
            return Err(InvalidPrincipals::Unknowable(name));
        }
        let mut grants = Grants::default();
        for scope in scopes {
            let wrong =
                |source| InvalidPrincipals::Scope { name: name.clone(), scope: scope.clone(), source };
            grants.add(&scope).map_err(wrong)?;
        }
        let identity = Identity { name: name.as_str().into(), grants: Arc::new(grants), until: None };
        for text in key_sha256 {
            let hash = parse_hash(&text).ok_or_else(|| InvalidPrincipals::Hash(name.clone()))?;
            if self.keys.iter().any(|(known, _)| *known == hash) {
                return Err(InvalidPrincipals::Shared(name));
            }
            self.keys.push((hash, identity.clone()));
        }
        for certificate in certificates {
            if self.certificates.insert(certificate, identity.clone()).is_some() {
                return Err(InvalidPrincipals::Shared(name));
            }
        }
        Ok(())
    }

    /// Whose key this is. Takes as long whether it is somebody's or not, and whoever's it is.
    pub fn by_key(&self, key: &str) -> Option<Identity> {
        let hash = hash(key);
        let mut found = None;
        for (known, identity) in &self.keys {
            if known.ct_eq(&hash).into() {
                found = Some(identity);
            }
        }
        found.cloned()
    }

    /// Whose certificate has one of these names.
    pub fn by_certificate(&self, names: &[String]) -> Option<Identity> {
        names.iter().find_map(|name| self.certificates.get(name)).cloned()
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._@/".contains(&b))
}

fn hash(key: &str) -> KeyHash {
    Sha256::digest(key).into()
}

fn parse_hash(text: &str) -> Option<KeyHash> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(hash)
}

/// A key that was just made. Only its hash is shown by `Debug`.
pub struct NewKey(String);

impl NewKey {
    /// A key that nobody has.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(format!("{KEY_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What the client sends.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What the file of principals has, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        hash(&self.0).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewKey").field(&self.sha256()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;

    #[test]
    fn principals_are_known_by_every_key_and_certificate_of_theirs() {
        let (old, new) = (NewKey::random().unwrap(), NewKey::random().unwrap());
        let text = format!(
            "[[principals]]\nname = \"newsroom\"\nscopes = [\"analyze\", \"write:news\"]\n\
             key_sha256 = [{:?}, {:?}]\n\n[[principals]]\nname = \"archive\"\nscopes = [\"read\"]\n\
             certificates = [\"spiffe://example.com/archive\", \"archive.example.com\"]\n",
            old.sha256(),
            new.sha256().to_uppercase(),
        );
        let principals = Principals::parse(&text).unwrap();
        for key in [&old, &new] {
            let newsroom = principals.by_key(key.secret()).unwrap();
            assert_eq!(&*newsroom.name, "newsroom");
            assert!(newsroom.grants.has_in(Scope::Write, "news") && !newsroom.grants.has(Scope::Read));
        }
        assert!(principals.by_key(&old.sha256()).is_none(), "the hash is no key");
        assert!(principals.by_key("").is_none());
        let names = ["other.example.com".to_owned(), "archive.example.com".to_owned()];
        assert_eq!(&*principals.by_certificate(&names).unwrap().name, "archive");
        assert!(principals.by_certificate(&names[..1]).is_none());
    }

    #[test]
    fn what_is_wrong_is_told_without_what_the_file_holds() {
        let hash = "0".repeat(64);
        let entry = |name: &str, rest: &str| format!("[[principals]]\nname = \"{name}\"\n{rest}\n");
        for (text, said) in [
            (entry("a", "scopes = [\"read\"]\nkey = \"cdk_hush\""), "line 4"),
            (entry("a", "scopes = [\"read\"]\nkey_sha256 = \"cdk_hush\""), "line 4"),
            (entry("a", "scopes = [\"read\"]\nkey_sha256 = [\"cdk_hush\"]"), "\"a\" has a key_sha256"),
            (entry("a", "scopes = [\"read\"]\nkey_sha256 = [\"cdk_hush"), "line 4"),
            (entry("a:b", &format!("scopes = []\nkey_sha256 = [\"{hash}\"]")), "\"a:b\" is no name"),
            (entry("a", &format!("scopes = [\"admin\"]\nkey_sha256 = [\"{hash}\"]")), "scope \"admin\""),
            (entry("a", "scopes = [\"read\"]"), "known by nothing"),
            (entry("a", "scopes = []\ncertificates = [\"x\"]").repeat(2), "two principals"),
            (entry("a", "scopes = []\ncertificates = [\"x\", \"x\"]"), "twice"),
        ] {
            let error = Principals::parse(&text).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("hush"), "{text}: {error}");
        }
        assert_eq!(Principals::parse("# none yet\n").unwrap_err(), InvalidPrincipals::Nobody);
    }

    #[test]
    fn a_key_is_known_on_sight_and_never_twice_the_same() {
        let (one, other) = (NewKey::random().unwrap(), NewKey::random().unwrap());
        assert!(one.secret().starts_with("cdk_") && one.secret().len() == 47);
        assert_ne!(one.secret(), other.secret());
        assert!(!format!("{one:?}").contains(one.secret()));
    }
}
