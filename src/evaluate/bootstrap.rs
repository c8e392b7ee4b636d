//! How far a mean could be off by the chance of which documents were taken.

use rand_mt::Mt;

/// How often the documents are drawn anew.
const RESAMPLES: usize = 1000;

/// The means of 1000 samples drawn from `values` with replacement, in ascending order
/// (Efron, "Bootstrap methods: another look at the jackknife", 1979). Between the 26th and the
/// 975th or 976th lie 95% of them. All are 0 where there are no values.
///
/// The generator is the Mersenne Twister as Python seeds and reads it, so that an interval is
/// the one that a Python script with the same seed prints.
pub(super) fn resampled_means(values: &[f64], seed: u32) -> Vec<f64> {
    if values.is_empty() {
        return vec![0.0; RESAMPLES];
    }
    let mut random = Mt::new_with_key([seed]);
    let count = values.len() as f64;
    let mut mean =
        || (0..values.len()).map(|_| values[(unit(&mut random) * count) as usize]).sum::<f64>() / count;
    let mut means: Vec<_> = (0..RESAMPLES).map(|_| mean()).collect();
    means.sort_by(f64::total_cmp);
    means
}

/// The next number from 0 to below 1, of 53 random bits.
fn unit(random: &mut Mt) -> f64 {
    let (high, low) = (random.next_u32() >> 5, random.next_u32() >> 6);
    (f64::from(high) * f64::from(1 << 26) + f64::from(low)) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_python_draws() {
        // random.Random(17).random()
        assert_eq!(unit(&mut Mt::new_with_key([17])), 0.5219839097124932);
        let means = resampled_means(&[0.0, 1.0], 17);
        assert!(means.is_sorted() && means[0] == 0.0 && means[RESAMPLES - 1] == 1.0);
    }
}
