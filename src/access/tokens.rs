//! Those for whom an issuer signed a token (JWT, RFC 7519), by the issuer's keys (JWKS, RFC 7517).
//!
//! jsonwebtoken reads and checks; its cryptography is ring's, which the process has for TLS.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Validation};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::verified::{Good, Verified};
use super::{Grants, Identity, Unknown};

/// How far the issuer's clock may be from ours.
const LEEWAY_SECONDS: u64 = 30;

const MAX_SUBJECT_BYTES: usize = 256;

/// ring takes no smaller keys.
const MIN_RSA_BYTES: usize = 2048 / 8;

/// What a token must say, besides being signed and valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRules {
    /// `iss`.
    pub issuer: String,
    /// `aud` is it, or has it among others.
    pub audience: String,
    /// The claim that lists scopes: a string with spaces between them, or an array of strings.
    pub scope_claim: String,
}

/// Whoever has a good token.
#[derive(Debug)]
pub struct Tokens {
    keys: Vec<Key>,
    scope_claim: String,
    verified: Verified,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    key: DecodingKey,
    /// With the one algorithm that this key is for.
    validation: Validation,
}

/// Why a file gives no keys. It never says what the file holds but ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwks {
    #[error("line {0}: it is no JWK set")]
    Syntax(usize),
    #[error("the key {0:?} is symmetric; whoever can check such tokens can make them, so none is taken")]
    Symmetric(String),
    #[error("the key {0:?} is damaged, or an RSA key of fewer than 2048 bits")]
    Damaged(String),
    #[error("two keys have the id {0:?}")]
    SameId(String),
    #[error("there is no key in it that signs with RS, PS, ES256, ES384 or Ed25519")]
    NoKey,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

impl Tokens {
    /// Reads a JWK set. Keys for encryption and of kinds that are not known are passed over, since
    /// issuers publish those in the same place.
    ///
    /// # Errors
    /// If it is none, no key is left, or one is not what it should be.
    pub fn parse(json: &[u8], rules: &TokenRules) -> Result<Self, InvalidJwks> {
        // The first call counts, and all are the same.
        let _ = RING.install_default();
        let set: JwkSet = serde_json::from_slice(json).map_err(|error| InvalidJwks::Syntax(error.line()))?;
        let mut keys: Vec<Key> = Vec::new();
        for jwk in &set.keys {
            let id = jwk.common.key_id.clone();
            let name = || id.clone().unwrap_or_default();
            if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
                return Err(InvalidJwks::Symmetric(name()));
            }
            let Some(algorithm) = algorithm(jwk) else { continue };
            let key = DecodingKey::from_jwk(jwk).ok().filter(|key| is_whole(key, algorithm));
            let key = key.ok_or_else(|| InvalidJwks::Damaged(name()))?;
            if keys.iter().any(|other| other.id == id) {
                return Err(InvalidJwks::SameId(name()));
            }
            keys.push(Key { id, key, validation: validation(algorithm, rules) });
        }
        if keys.is_empty() {
            return Err(InvalidJwks::NoKey);
        }
        Ok(Self { keys, scope_claim: rules.scope_claim.clone(), verified: Verified::default() })
    }

    /// Whose token this is. Scopes that are none of ours are passed over: a token may be good for
    /// other services, too.
    ///
    /// # Errors
    /// If it is nobody's; the log has more at the level `debug`.
    pub fn identify(&self, token: &str) -> Result<Identity, Unknown> {
        self.verified.or_verify(token, || self.verify(token))
    }

    fn verify(&self, token: &str) -> Result<Good, Unknown> {
        let claims = self.claims(token).map_err(|error| {
            tracing::debug!(%error, "a token was refused");
            match error.kind() {
                ErrorKind::ExpiredSignature => Unknown::Expired,
                _ => Unknown::Invalid,
            }
        })?;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| is_subject(subject));
        let name = format!("token:{}", subject.ok_or(Unknown::Invalid)?);
        let mut grants = Grants::default();
        for scope in scopes(claims.get(&self.scope_claim)) {
            // Others' scopes are no mistake.
            let _ = grants.add(scope);
        }
        let expires = claims.get("exp").and_then(Value::as_f64).ok_or(Unknown::Invalid)?;
        let good_until = expires + LEEWAY_SECONDS as f64;
        let identity = Identity { name: name.into(), grants: Arc::new(grants), until: instant(good_until) };
        Ok(Good { identity, until: good_until })
    }

    fn claims(&self, token: &str) -> JwtResult<Map<String, Value>> {
        let header = jsonwebtoken::decode_header(token)?;
        // Whatever must be understood is not (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(ErrorKind::InvalidToken.into());
        }
        let key = match (&header.kid, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_ref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let key = key.ok_or(ErrorKind::InvalidToken)?;
        // Refuses every algorithm but the key's own.
        Ok(jsonwebtoken::decode(token, &key.key, &key.validation)?.claims)
    }
}

/// What a key signs with; none where it is for something else.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    let named = jwk.common.key_algorithm;
    let only = |algorithm: Algorithm, name| named.is_none_or(|named| named == name).then_some(algorithm);
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => match named {
            None | Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::RS384) => Some(Algorithm::RS384),
            Some(KeyAlgorithm::RS512) => Some(Algorithm::RS512),
            Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
            Some(KeyAlgorithm::PS384) => Some(Algorithm::PS384),
            Some(KeyAlgorithm::PS512) => Some(Algorithm::PS512),
            _ => None,
        },
        AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
            EllipticCurve::P256 => only(Algorithm::ES256, KeyAlgorithm::ES256),
            EllipticCurve::P384 => only(Algorithm::ES384, KeyAlgorithm::ES384),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(parameters) => match parameters.curve {
            EllipticCurve::Ed25519 => only(Algorithm::EdDSA, KeyAlgorithm::EdDSA),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a key has the size of its kind. Otherwise nobody would learn why no token is good.
fn is_whole(key: &DecodingKey, algorithm: Algorithm) -> bool {
    match (key.kind(), algorithm) {
        (DecodingKeyKind::RsaModulusExponent { n, .. }, _) => n.len() >= MIN_RSA_BYTES,
        (DecodingKeyKind::SecretOrDer(point), Algorithm::ES256) => point.len() == 65,
        (DecodingKeyKind::SecretOrDer(point), Algorithm::ES384) => point.len() == 97,
        (DecodingKeyKind::SecretOrDer(point), _) => point.len() == 32,
    }
}

fn validation(algorithm: Algorithm, rules: &TokenRules) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[&rules.issuer]);
    validation.set_audience(&[&rules.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// A time in seconds since 1970, not before now; none where that is too far away for a clock.
fn instant(seconds: f64) -> Option<Instant> {
    let left = seconds - UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
    Instant::now().checked_add(Duration::try_from_secs_f64(left.max(0.0)).ok()?)
}

fn is_subject(subject: &str) -> bool {
    (1..=MAX_SUBJECT_BYTES).contains(&subject.len()) && !subject.chars().any(char::is_control)
}

fn scopes(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let (text, list) = match claim {
        Some(Value::String(text)) => (text.as_str(), [].as_slice()),
        Some(Value::Array(list)) => ("", list.as_slice()),
        _ => ("", [].as_slice()),
    };
    text.split_ascii_whitespace().chain(list.iter().filter_map(Value::as_str))
}

/// Signatures are checked by ring; nothing is signed here.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn no_signer(_: &Algorithm, _: &EncodingKey) -> JwtResult<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let rsa = |parameters: &'static RsaParameters| match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            DecodingKeyKind::SecretOrDer(_) => Err(ring::error::Unspecified),
        };
        let other = |algorithm: &'static dyn VerificationAlgorithm| match self.key.kind() {
            DecodingKeyKind::SecretOrDer(point) => {
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            DecodingKeyKind::RsaModulusExponent { .. } => Err(ring::error::Unspecified),
        };
        let verified = match self.algorithm {
            Algorithm::RS256 => rsa(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => rsa(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => rsa(&RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => rsa(&RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => rsa(&RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => rsa(&RSA_PSS_2048_8192_SHA512),
            Algorithm::ES256 => other(&ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => other(&ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => other(&ED25519),
            _ => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    };
    use serde_json::json;

    use super::*;

    /// The example of RFC 7515, appendix A.2: its key, and what that signed.
    const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    fn rules() -> TokenRules {
        TokenRules { issuer: "joe".into(), audience: "desk".into(), scope_claim: "scope".into() }
    }

    fn rsa(n: &str, more: &str) -> String {
        format!(r#"{{"keys": [{{"kty": "RSA", "kid": "k", "n": "{n}", "e": "AQAB"{more}}}]}}"#)
    }

    #[test]
    fn rsa_signatures_are_checked_with_the_keys_own_algorithm() {
        let kind = |jwks: &str, token: &str| {
            let tokens = Tokens::parse(jwks.as_bytes(), &rules()).unwrap();
            format!("{:?}", tokens.claims(token).unwrap_err().kind())
        };
        // Signed well, but it says neither subject nor audience.
        assert!(kind(&rsa(RSA_N, ""), RSA_TOKEN).starts_with("MissingRequiredClaim"));
        let tampered = RSA_TOKEN.replace(".cC4h", ".cC4i");
        assert_eq!(kind(&rsa(RSA_N, ""), &tampered), "InvalidSignature");
        assert_eq!(kind(&rsa(RSA_N, r#", "alg": "PS256""#), RSA_TOKEN), "InvalidAlgorithm");
    }

    #[test]
    fn signatures_on_elliptic_curves_are_checked() {
        let random = SystemRandom::new();
        for (curve, name, signing) in [
            ("P-256", "ES256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            ("P-384", "ES384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        ] {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
            // An uncompressed point: a byte that says so, and both coordinates.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
            let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let jwk = json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)});
            let tokens = Tokens::parse(json!({"keys": [jwk]}).to_string().as_bytes(), &rules()).unwrap();
            let claims = json!({"iss": "joe", "aud": "desk", "sub": "a", "exp": 1u64 << 40, "scope": "read"});
            let message =
                [json!({"alg": name}), claims].map(|part| encode(part.to_string().as_bytes())).join(".");
            let signature = pair.sign(&random, message.as_bytes()).unwrap();
            let token = format!("{message}.{}", encode(signature.as_ref()));
            assert_eq!(&*tokens.identify(&token).unwrap().name, "token:a", "{name}");
            let other = format!("{message}.{}", encode(&[7; 64]));
            assert_eq!(tokens.identify(&other).unwrap_err(), Unknown::Invalid, "{name}");
        }
    }

    #[test]
    fn only_keys_that_sign_and_are_whole_are_taken() {
        let parse = |json: &str| Tokens::parse(json.as_bytes(), &rules()).map(|tokens| tokens.keys.len());
        let small = &RSA_N[..172];
        assert_eq!(parse(&rsa(RSA_N, r#", "use": "sig", "x5c": ["x"]"#)), Ok(1));
        assert_eq!(parse(&rsa(small, "")), Err(InvalidJwks::Damaged("k".into())));
        assert_eq!(parse(&rsa(RSA_N, r#", "use": "enc""#)), Err(InvalidJwks::NoKey));
        assert_eq!(parse(&rsa(RSA_N, r#", "alg": "RSA-OAEP""#)), Err(InvalidJwks::NoKey));
        assert_eq!(
            parse(r#"{"keys": [{"kty": "oct", "kid": "s", "k": "aGk"}]}"#),
            Err(InvalidJwks::Symmetric("s".into()))
        );
        assert_eq!(
            parse(r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}"#),
            Err(InvalidJwks::Damaged(String::new()))
        );
        assert_eq!(parse(r#"{"keys": [{"kty": "new", "x": "AA"}]}"#), Err(InvalidJwks::NoKey));
        assert_eq!(parse("{\n\"keys\": 1}"), Err(InvalidJwks::Syntax(2)));
    }

    #[test]
    fn scopes_are_a_string_or_a_list() {
        let of = |claim: Value| scopes(Some(&claim)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of("read  write:news".into()), ["read", "write:news"]);
        assert_eq!(of(json!(["read", 7, "analyze"])), ["read", "analyze"]);
        assert!(of(7.into()).is_empty() && scopes(None).next().is_none());
    }
}
