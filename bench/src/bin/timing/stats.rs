//! The two-sample Kolmogorov-Smirnov test: whether two sets of times may come from one distribution, whatever its shape.

/// What a comparison found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Ks {
    /// The greatest distance between the two empirical distributions, 0 to 1.
    pub(crate) d: f64,
    /// How probable so great a distance is where there is no difference.
    pub(crate) p: f64,
}

/// Compares two samples. The probability is Kolmogorov's limit with Stephens' correction, good from about 20 values on.
pub(crate) fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Ks {
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut d) = (0, 0, 0.0_f64);
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        // Ties are passed in both before the distance is taken.
        let at = x.min(y);
        i += a.iter().skip(i).take_while(|value| **value <= at).count();
        j += b.iter().skip(j).take_while(|value| **value <= at).count();
        d = d.max((share(i, a.len()) - share(j, b.len())).abs());
    }
    let effective = (count(a.len()) * count(b.len()) / count(a.len() + b.len())).sqrt();
    Ks { d, p: tail((effective + 0.12 + 0.11 / effective) * d) }
}

/// Kolmogorov's distribution, from `lambda` upwards.
fn tail(lambda: f64) -> f64 {
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The smallest difference that this test would have seen between these two samples: what must be added to every value of `b`, in
/// their unit, for a probability below `alpha`. `None` when even half the median is not seen.
pub(crate) fn detectable(a: &[f64], b: &[f64], alpha: f64) -> Option<f64> {
    let step = median(a) / 1000.0;
    let seen = |steps: &i32| {
        let shifted: Vec<f64> = b.iter().map(|value| value + step * f64::from(*steps)).collect();
        kolmogorov_smirnov(a, &shifted).p < alpha
    };
    (1..=500).find(seen).map(|steps| step * f64::from(steps))
}

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    sorted(values).get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
const fn count(n: usize) -> f64 {
    n as f64
}

fn share(part: usize, whole: usize) -> f64 {
    count(part) / count(whole)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..n).map(|_| 20.0 + rng.random_range(0.0..1.0) + rng.random_range(0.0..1.0)).collect()
    }

    #[test]
    fn agrees_with_published_values() {
        // Smirnov's table: the two-sided 5 % point is 1.3581, the 1 % point 1.6276.
        assert!((tail(1.3581) - 0.05).abs() < 1e-4 && (tail(1.6276) - 0.01).abs() < 1e-4);
        assert!((tail(0.0) - 1.0).abs() < f64::EPSILON);
        let ks = kolmogorov_smirnov(&[1.0, 2.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 5.0]);
        assert!((ks.d - 0.5).abs() < 1e-12, "{ks:?}");
    }

    #[test]
    fn sees_a_difference_and_only_that() {
        let (a, b) = (noise(1, 500), noise(2, 500));
        assert!(kolmogorov_smirnov(&a, &b).p > 0.01);
        let moved: Vec<f64> = b.iter().map(|value| value * 1.03).collect();
        assert!(kolmogorov_smirnov(&a, &moved).p < 1e-6);
        // A second peak in a quarter of the values, which leaves the median nearly alone.
        let forked: Vec<f64> = b.iter().enumerate().map(|(i, value)| if i % 4 == 0 { value - 15.0 } else { *value }).collect();
        assert!(kolmogorov_smirnov(&a, &forked).p < 1e-6);
    }

    #[test]
    fn knows_its_sight() {
        let seen = detectable(&noise(1, 500), &noise(2, 500), 1e-4).expect("a shift that is seen");
        assert!(seen > 0.02 && seen < 0.3, "{seen}");
    }

    #[test]
    fn false_alarms_are_as_rare_as_promised() {
        let alarms = (0..400).filter(|i| kolmogorov_smirnov(&noise(2 * i, 200), &noise(2 * i + 1, 200)).p < 0.05).count();
        assert!(alarms <= 32, "{alarms} of 400 at 5 %");
    }
}
