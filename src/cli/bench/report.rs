//! What a bench found.

use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was measured.
#[derive(Serialize)]
pub struct Report {
    pub name: &'static str,
    pub neurons: usize,
    pub synapses: usize,
    pub threads: usize,
    pub seed: u64,
    pub steps: u64,
    pub build_s: f64,
    pub ms_per_step: f64,
    pub steps_per_second: f64,
    pub s_per_biological_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms_per_image: Option<f64>,
    /// Of the time of one step, where each was timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<f64>,
    pub peak_rss_mb: Option<f64>,
    /// By population \[Hz\].
    pub rates: BTreeMap<String, f64>,
    pub spikes_per_step: f64,
    /// By stage \[us a step\].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<(String, f64)>,
}

impl Report {
    pub fn print(&self) {
        println!("{}: {} neurons, {} weights", self.name, self.neurons, self.synapses);
        println!("  threads          {}", self.threads);
        println!("  build            {:.3} s", self.build_s);
        println!("  step             {:.4} ms ({:.0} steps/s)", self.ms_per_step, self.steps_per_second);
        if let (Some(median), Some(p99)) = (self.median_us, self.p99_us) {
            println!("  median, p99      {median:.1} us, {p99:.1} us");
        }
        println!("  biological time  {:.4} s a second", self.s_per_biological_s);
        if let Some(ms) = self.ms_per_image {
            println!("  image            {ms:.2} ms");
        }
        println!("  spikes per step  {:.1}", self.spikes_per_step);
        if let Some(peak) = self.peak_rss_mb {
            println!("  peak memory      {peak:.0} MB");
        }
        for (population, rate) in &self.rates {
            println!("  rate {population:<20} {rate:.3} Hz");
        }
        for (stage, us) in &self.stages {
            println!("  stage {stage:<22}{us:8.2} us");
        }
    }
}

/// How long each step took.
#[derive(Default)]
pub struct StepTimes(Vec<Duration>);

impl StepTimes {
    pub fn reserve(&mut self, steps: u64) {
        self.0.reserve(steps as usize);
    }

    pub fn push(&mut self, step: Duration) {
        self.0.push(step);
    }

    /// The time within which this share of the steps was done \[us\].
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some(sorted[(share * last as f64).round() as usize].as_secs_f64() * 1e6)
    }
}

/// The most memory that this process ever held, where the system tells.
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}
