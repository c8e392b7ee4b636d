//! Tokens whose signatures need no second look.

use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::{Identity, Unknown};

/// How many are remembered at once.
const MAX_TOKENS: usize = 1024;

/// Whose tokens were found good, until they expire; one for each set of keys, with which it goes. A look at
/// a signature takes longer than all else that credentials cost. Digests of tokens are kept, and no token.
#[derive(Debug, Default)]
pub struct Verified(Mutex<FxHashMap<[u8; 32], Good>>);

/// What was found out of a token.
#[derive(Clone, Debug)]
pub struct Good {
    pub identity: Identity,
    /// In seconds since 1970, by the system's clock.
    pub until: f64,
}

impl Verified {
    /// Whose token this is: as found before, or as `verify` finds now.
    ///
    /// # Errors
    /// Those of `verify`, and nothing is remembered.
    pub fn or_verify(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<Good, Unknown>,
    ) -> Result<Identity, Unknown> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        // What is kept is whole at every moment, whoever panicked.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(good) = kept().get(&digest).filter(|good| now < good.until) {
            return Ok(good.identity.clone());
        }
        // Without the lock, which others are waiting for.
        let good = verify()?;
        let mut kept = kept();
        if kept.len() >= MAX_TOKENS {
            kept.retain(|_, other| now < other.until);
        }
        if kept.len() >= MAX_TOKENS {
            // Looked at anew, each of them once.
            kept.clear();
        }
        kept.insert(digest, good.clone());
        Ok(good.identity)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A token of that name, good for so many seconds; says whether its signature was looked at.
    fn is_looked_at(verified: &Verified, token: &str, seconds: f64) -> bool {
        let mut looked = false;
        let identity = verified.or_verify(token, || {
            looked = true;
            let identity = Identity { name: token.into(), grants: Arc::default(), until: None };
            Ok(Good { identity, until: UNIX_EPOCH.elapsed().unwrap().as_secs_f64() + seconds })
        });
        assert_eq!(&*identity.unwrap().name, token);
        looked
    }

    #[test]
    fn a_token_is_looked_at_again_when_it_has_expired_and_a_bad_one_always() {
        let verified = Verified::default();
        assert!(is_looked_at(&verified, "lasting", 60.0));
        assert!(!is_looked_at(&verified, "lasting", 60.0));
        assert!(is_looked_at(&verified, "expired", -1.0));
        assert!(is_looked_at(&verified, "expired", -1.0));
        for _ in 0..2 {
            let refused = verified.or_verify("bad", || Err(Unknown::Invalid));
            assert_eq!(refused.unwrap_err(), Unknown::Invalid);
        }
    }

    #[test]
    fn tokens_without_number_take_no_room_without_bound() {
        let verified = Verified::default();
        assert!(is_looked_at(&verified, "expires", -1.0));
        for number in 0..3 * MAX_TOKENS {
            assert!(is_looked_at(&verified, &number.to_string(), 60.0));
            assert!(verified.0.lock().unwrap().len() <= MAX_TOKENS);
        }
        assert!(!is_looked_at(&verified, &(3 * MAX_TOKENS - 1).to_string(), 60.0));
    }
}
