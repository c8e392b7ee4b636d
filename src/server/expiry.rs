//! When certificates expire, as their DER says it (RFC 5280, section 4.1).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` in seconds since 1970; none where that cannot be read.
pub fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = Values(certificate).next()?;
    let (_, to_be_signed) = Values(certificate).next()?;
    // Before the validity come a version, a number, and two sequences: algorithm and issuer.
    let (_, validity) = Values(to_be_signed).filter(|(tag, _)| *tag == SEQUENCE).nth(2)?;
    let (tag, time) = Values(validity).nth(1)?;
    let format = match tag {
        UTC_TIME => "%y%m%d%H%M%SZ",
        GENERALIZED_TIME => "%Y%m%d%H%M%SZ",
        _ => return None,
    };
    let time = DateTime::strptime(format, time).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(time.timestamp().as_second())
}

/// The values that follow each other in DER, with their tags; it ends where there is none.
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag, length, rest @ ..] = self.0 else { return None };
        // Up to 127 it is the length itself, beyond the number of its bytes.
        let (length, rest) = match length.checked_sub(0x80) {
            None => (usize::from(*length), rest),
            Some(bytes) => {
                let (digits, rest) = rest.split_at_checked(usize::from(bytes))?;
                let digit = |length: usize, digit: &u8| length.checked_mul(256)?.checked_add((*digit).into());
                (digits.iter().try_fold(0, digit)?, rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_notations() {
        let key = KeyPair::generate().unwrap();
        for (year, seconds) in [(2031, 1_932_595_200), (2049, 2_500_675_200), (2051, 2_563_747_200)] {
            let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 3, 30);
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(not_after(certificate.der()), Some(seconds), "{year}");
        }
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_has_no_end(bytes: Vec<u8>, cut in 0..400_usize, place in 0..400_usize, byte: u8) {
            let _ = not_after(&bytes);
            let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
            let mut damaged = certificate.der().to_vec();
            let place = place % damaged.len();
            damaged[place] = byte;
            let _ = not_after(&damaged);
            damaged.truncate(cut);
            let _ = not_after(&damaged);
        }
    }
}
