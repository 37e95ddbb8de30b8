//! What an image goes through before it becomes spikes: filters, polarity, masks.
//!
//! `cargo run --release --example filters_and_masks` draws filters of retina and cortex, a digit as seen through them, and
//! the parts that masks show of it with their places. Then one population sees parts of digits while another is told where
//! they are, and a raster shows both.

use clap::Parser;
use conex::data::{convolve, digits, filter_bank, split_sign_polarity};
use conex::prelude::*;
use conex::recording::plots::{ImageRow, PopulationSpikes, image_rows, spike_raster};
use ndarray::{Array3, Array4, ArrayView3, Axis, Ix3, s};
use std::error::Error;
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Options {
    /// Steps of a millisecond.
    #[arg(long, default_value_t = 400)]
    steps: u64,
    /// The folder for the plots.
    #[arg(long, default_value = "conex-out/filters_and_masks")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.out)?;
    let digits = digits()?;
    filters(&digits.array(0)?, &options.out)?;
    masks(&digits.array(0)?, &options.out)?;
    what_and_where(&digits.take(20), options.steps, &options.out)?;
    println!("the plots are in {}", options.out.display());
    Ok(())
}

fn filters(digit: &Array3<Real>, out: &Path) -> Result<(), Box<dyn Error>> {
    // The retina: light at a place against the light around it, and the other way round.
    let on = DogFilter { size: 5, zero_mean: true, one_sum: true, ..Default::default() };
    let off = DogFilter { sigma_1: on.sigma_2, sigma_2: on.sigma_1, ..on };
    let retina = filter_bank(&[on.values()?, off.values()?], 1)?;
    // The primary visual cortex: bars at four orientations.
    let gabor = GaborFilter { size: 5, zero_mean: true, one_sum: true, ..Default::default() };
    let cortex = gabor.orientations(4)?;
    let fine = gabor.step(0.1).orientations(4)?;

    let sides = captions(&["on", "off"]);
    let angles = captions(&["0°", "45°", "90°", "135°"]);
    let rows = [
        ImageRow { name: "difference of Gaussians", images: first_channels(&retina), captions: &sides },
        ImageRow { name: "Gabor", images: first_channels(&cortex), captions: &angles },
        ImageRow { name: "Gabor in steps of 0.1", images: first_channels(&fine), captions: &angles },
    ];
    image_rows(&out.join("filters.svg"), "Filters", &rows)?;

    // With a padding of 2, filters of 5 x 5 leave the image as large as it is.
    let contrast = convolve(digit, &retina.slice(s![..1, .., .., ..]), (1, 1), (2, 2))?;
    let on_off = split_sign_polarity(&contrast)?.into_dimensionality::<Ix3>()?;
    let contrast = contrast.into_dimensionality::<Ix3>()?;
    let bars = convolve(digit, &cortex, (1, 1), (2, 2))?.into_dimensionality::<Ix3>()?;
    let rows = [
        ImageRow { name: "a digit", images: digit.view(), captions: &[] },
        ImageRow { name: "centre against surround", images: contrast.view(), captions: &[] },
        ImageRow { name: "split by its sign", images: on_off.view(), captions: &sides },
        ImageRow { name: "bars by orientation", images: bars.view(), captions: &angles },
    ];
    Ok(image_rows(&out.join("filtered_digit.svg"), "A digit through filters", &rows)?)
}

fn masks(digit: &Array3<Real>, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut shown = Vec::new();
    for (name, mask) in [
        ("erase", GridMask::erase(2, 2)),
        ("keep", GridMask::keep(2, 2)),
        ("keep, in random order", GridMask::keep(2, 2).random_order(3)),
        ("keep, gap at the left", GridMask::keep(2, 2).gap([2, 0, 0, 0])),
        ("crop", GridMask::crop(2, 2)),
        ("crop, one pixel more", GridMask::crop(2, 2).gap([-1, -1, -1, -1])),
    ] {
        let (views, locations) = mask.apply(digit)?;
        shown.push((name, views, locations));
    }
    let mut rows = Vec::new();
    for (k, (name, views, locations)) in shown.iter().enumerate() {
        rows.push(ImageRow { name, images: first_channels(views), captions: &[] });
        // Gaps and crops change nothing of the locations.
        if k < 3 {
            rows.push(ImageRow { name: "its locations", images: locations.view(), captions: &[] });
        }
    }
    Ok(image_rows(&out.join("masks.svg"), "A digit part by part", &rows)?)
}

fn what_and_where(digits: &Images, steps: u64, out: &Path) -> Result<(), Box<dyn Error>> {
    let parts = LocationDataset::new(digits, &GridMask::crop(2, 2).random_order(1))?;
    let encoder = SimplePoisson::new(40, 0.2)?;
    let mut net = Neocortex::new()?;
    let [what, place] = [("what", parts.sensory()), ("where", parts.location())].map(|(name, part)| {
        net.neurons(name, part.shape(), Stimulus::new(part, encoder).silent_interval(10))
    });
    let recordings = [net.record_spikes(what?)?, net.record_spikes(place?)?];
    net.run(steps)?;

    let [seen, told] = recordings.map(|recording| recording.events());
    println!("{} spikes of what is seen, {} of where it is", seen.len(), told.len());
    let populations = [("what", parts.sensory(), &seen), ("where", parts.location(), &told)];
    let populations = populations.map(|(name, part, events)| PopulationSpikes {
        name,
        neurons: part.shape().len(),
        inhibitory: false,
        events,
    });
    let raster = out.join("what_and_where.svg");
    Ok(spike_raster(&raster, "Parts of digits, and where they are", &populations, 0.0..steps as f64)?)
}

/// The images that filters or views of one channel are.
fn first_channels(images: &Array4<Real>) -> ArrayView3<'_, Real> {
    images.index_axis(Axis(1), 0)
}

fn captions(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
