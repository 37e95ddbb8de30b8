//! The numbers of CoNeX itself, recorded from the original, case by case.
//!
//! The cases of what conex has lie in `cases/`. `CONEX_GOLDEN=<folder>` adds those of another folder, of the same layout:
//! `<area>/<case>.json` and, beside it, `<case>.npz`. A path that is not absolute starts at the project's root:
//!
//! ```text
//! CONEX_GOLDEN=../shared/golden cargo test --release golden -- --nocapture
//! ```
//!
//! What a case asks for is read off its classes and parameters (`build`, `functions`,
//! `data_helpers`, `statistics`); what conex does not
//! have is skipped by name. To let a new behaviour be tested, add its class to the `match` there, and its cases to
//! `cases/`.

mod case;
mod trouble;
mod compare;
mod build;
mod weights;
mod drives;
mod simulation;
mod functions;
mod data_helpers;
mod statistics;

use case::{Case, Kind};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use trouble::{Result, Trouble, fail, skip};

#[test]
fn golden() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tally = Tally::default();
    tally.check_folder(&root.join("tests/golden/cases"));
    if let Some(folder) = std::env::var_os("CONEX_GOLDEN").filter(|folder| !folder.is_empty()) {
        tally.check_folder(&root.join(folder));
    }
    tally.finish()
}

/// What became of the cases.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn check_folder(&mut self, folder: &Path) {
        // The test's own name may stand before it on the line.
        println!("\ngolden cases in {}", folder.display());
        // Names of skipped cases, by family and reason.
        let mut skipped = BTreeMap::new();
        match cases(folder) {
            Ok(cases) => cases.iter().for_each(|path| self.check(path, &mut skipped)),
            Err(error) => {
                self.fail(&folder.display(), &format!("this folder of cases cannot be read: {error}"))
            }
        }
        for ((family, reason), cases) in &skipped {
            println!("skipped {family} ({}): {reason}", cases.join(" "));
        }
    }

    fn check(&mut self, path: &Path, skipped: &mut BTreeMap<(String, String), Vec<String>>) {
        let case = match Case::read(path) {
            Ok(case) => case,
            Err(trouble) => return self.fail(&path.display(), trouble.reason()),
        };
        // A panic is the failure of its case, and of no other.
        let checked = catch_unwind(AssertUnwindSafe(|| check(&case)));
        match checked.unwrap_or_else(|_| Err(fail("it panicked"))) {
            Ok(()) => self.passed += 1,
            Err(Trouble::Fail(reason)) => self.fail(&format!("{}/{}", case.area, case.case), &reason),
            Err(Trouble::Skip(reason)) => {
                let family = format!("{}/{}", case.area, case.family);
                skipped.entry((family, reason)).or_default().push(case.case);
                self.skipped += 1;
            }
        }
    }

    fn fail(&mut self, what: &dyn Display, reason: &str) {
        self.failed += 1;
        // Several things may be wrong with a network, a line each.
        println!("FAILED {what}: {}", reason.replace('\n', "; "));
    }

    fn finish(self) -> ExitCode {
        let Tally { passed, failed, skipped } = self;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Every `<area>/<case>.json` in a folder, sorted.
fn cases(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for area in std::fs::read_dir(folder)? {
        let area = area?.path();
        if !area.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(area)? {
            cases.push(file?.path());
        }
    }
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    cases.sort();
    if cases.is_empty() {
        return Err(std::io::Error::other("there is no <area>/<case>.json in it"));
    }
    Ok(cases)
}

fn check(case: &Case) -> Result<()> {
    if case.dtype == "float64" && !cfg!(feature = "f64") {
        return Err(skip("float64: run with --features f64"));
    }
    match &case.kind {
        Kind::Simulation(simulation) => simulation::check(case, simulation),
        Kind::Function { function, params } => functions::check(case, function, params),
        Kind::Statistics { function, params, statistics } => {
            statistics::check(case, function, params, statistics)
        }
    }
}
