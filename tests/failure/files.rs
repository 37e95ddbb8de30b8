//! Data that cannot be read, and recordings that cannot be written.

use conex::data::{DataError, Mnist, digits_from, read_images, read_labelled_images, read_labels};
use conex::prelude::*;
use conex::recording::{FileRecording, RecordingError};
use conex::{Error, Result, systems};
use std::fs;
use std::path::Path;

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

/// Asserts that a message says all of `parts`.
fn says(error: &dyn std::error::Error, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

fn idx(sizes: &[u32], content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(content);
    bytes
}

#[test]
fn files_that_are_not_what_they_should_be_are_refused_by_name() -> Tested {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, bytes: &[u8]| -> std::io::Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    };
    let images = file("images", &idx(&[2, 1, 2], &[1, 2, 3, 4]))?;
    let labels = file("labels", &idx(&[2], &[7, 9]))?;
    let read = read_labelled_images(&images, &labels)?;
    assert_eq!((read.len(), read.labels()), (2, Some(&[7, 9][..])));

    let refused = |result: std::result::Result<Images, DataError>, parts: &[&str]| match result {
        Ok(images) => panic!("{images:?} was read, not refused: {parts:?}"),
        Err(error) => {
            says(&error, parts);
            error
        }
    };
    let swapped = refused(read_labelled_images(&labels, &images), &["labels", "not swapped"]);
    assert!(matches!(swapped, DataError::WrongMagic { .. }));
    let cut = file("cut", &idx(&[2, 1, 2], &[1, 2, 3]))?;
    let cut = refused(read_images(&cut), &["cut", "4 bytes", "holds 3", "again"]);
    assert!(matches!(cut, DataError::Truncated { expected: 4, given: 3, .. }));
    let header = file("header", &idx(&[2, 1, 2], &[])[..9])?;
    assert!(matches!(refused(read_images(&header), &["header"]), DataError::Truncated { .. }));
    let more = file("more", &idx(&[1, 1, 2], &[1, 2, 3]))?;
    assert!(matches!(refused(read_images(&more), &["more", "again"]), DataError::TrailingData { .. }));
    let empty = file("empty", &idx(&[0, 1, 2], &[]))?;
    assert!(matches!(refused(read_images(&empty), &["empty"]), DataError::NothingInside { .. }));
    let bomb = file("bomb", &idx(&[u32::MAX; 3], &[1]))?;
    assert!(matches!(refused(read_images(&bomb), &["bomb"]), DataError::TooLarge { .. }));
    let page = file("page", b"<!DOCTYPE html>")?;
    assert!(matches!(refused(read_images(&page), &["page", "web page"]), DataError::WrongMagic { .. }));
    let gzip = file("cut.gz", &[0x1f, 0x8b, 8, 0, 0, 0])?;
    assert!(matches!(refused(read_images(&gzip), &["cut.gz", "again"]), DataError::CorruptGzip { .. }));
    let three = file("three", &idx(&[3], &[1, 2, 3]))?;
    let mismatch = refused(read_labelled_images(&images, &three), &["2 images", "3 labels", "one data set"]);
    assert!(matches!(mismatch, DataError::CountMismatch { .. }));
    let missing = refused(read_images(folder.path().join("nowhere")), &["nowhere", "check the path"]);
    assert!(matches!(missing, DataError::Unreadable { .. }));
    assert!(matches!(read_labels(folder.path()), Err(DataError::Unreadable { .. })), "a folder is no file");
    Ok(())
}

#[test]
fn folders_of_a_dataset_that_lack_something_are_refused_by_name() -> Tested {
    let folder = tempfile::tempdir()?;
    let read = |path: &Path| match Mnist::read(path) {
        Ok(_) => panic!("{path:?} was read"),
        Err(error) => error,
    };
    let nowhere = read(&folder.path().join("nowhere"));
    says(&nowhere, &["nowhere", "train-images-idx3-ubyte.gz", "give the folder"]);
    assert!(matches!(nowhere, DataError::MissingFolder { .. }));
    let missing = read(folder.path());
    says(&missing, &["training images", "packed or unpacked"]);
    assert!(matches!(missing, DataError::MissingFile { .. }));
    for (name, bytes) in [
        ("train-images-idx3-ubyte", idx(&[1, 1, 2], &[1, 2])),
        ("train-labels-idx1-ubyte", idx(&[1], &[1])),
        ("t10k-images-idx3-ubyte", idx(&[1, 2, 2], &[1, 2, 3, 4])),
        ("t10k-labels-idx1-ubyte", idx(&[1], &[1])),
    ] {
        fs::write(folder.path().join(name), bytes)?;
    }
    let differ = read(folder.path());
    says(&differ, &["2 pixels", "4 (1 x 2 x 2)", "different data sets"]);
    assert!(matches!(differ, DataError::ShapesDiffer { .. }));
    let file = read(&folder.path().join("t10k-labels-idx1-ubyte"));
    assert!(matches!(file, DataError::NotAFolder { .. }));
    Ok(())
}

#[test]
fn rubbish_among_digits_images_and_encoders_is_refused() {
    let digits = |text: &str| digits_from(text.as_bytes(), "some.csv");
    assert!(matches!(digits(""), Err(DataError::NoRows { .. })));
    assert!(matches!(digits("1,2\n"), Err(DataError::ColumnCount { line: 1, given: 2, .. })));
    let row = format!("{}12", "0,".repeat(64));
    assert!(matches!(digits(&row), Err(DataError::BadNumber { line: 1, column: 65, greatest: 9, .. })));

    let images =
        |shape: (usize, usize, usize), values: &[Real], labels| Images::new(shape, values.to_vec(), labels);
    assert!(matches!(images((1, 0, 2), &[], None), Err(DataError::BadShape { .. })));
    assert!(matches!(images((usize::MAX, 2, 1), &[], None), Err(DataError::BadShape { .. })));
    assert!(matches!(images((1, 1, 2), &[0.0; 3], None), Err(DataError::IntensityCount { given: 3, .. })));
    let nan = images((1, 1, 2), &[0.0, 0.0, 0.0, Real::NAN], None);
    assert!(matches!(nan, Err(DataError::NotFinite { image: 1, pixel: 1, .. })));
    let labels = images((1, 1, 1), &[0.0; 3], Some(vec![1]));
    assert!(matches!(labels, Err(DataError::LabelCount { images: 3, labels: 1 })));

    for error in [
        Poisson::new(0, 0.5).err(),
        SimplePoisson::new(0, 0.5).err(),
        Intensity2Latency::new(0).err(),
        Poisson::new(5, -0.5).err(),
        SimplePoisson::new(5, Real::NAN).err(),
        Intensity2Latency::new(5).and_then(|encoder| encoder.sparsity(1.5)).err(),
        Intensity2Latency::new(5).and_then(|encoder| encoder.threshold(Real::INFINITY)).err(),
    ] {
        assert!(matches!(error, Some(DataError::Parameter { .. })), "{error:?}");
    }
    let range = Intensity2Latency::new(5).and_then(|encoder| encoder.range(1.0, 1.0));
    assert!(matches!(range, Err(DataError::EncoderRange { .. })));
}

#[test]
fn recordings_that_cannot_be_written_are_refused_before_the_run_and_leave_nothing_behind() -> Tested {
    let folder = tempfile::tempdir()?;
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let exc = net.neurons("exc", 2, (Lif::default(), InjectedCurrent::new(2.0)))?;
    let refused = |result: Result<FileRecording>| match result {
        Ok(_) => panic!("it was begun"),
        Err(error) => error,
    };
    fs::write(folder.path().join("file"), "no folder")?;
    for missing in ["nowhere/spikes.npz", "file/spikes.csv"] {
        let error = refused(net.stream_spikes(exc, folder.path().join(missing)));
        says(&error, &[missing, "choose another folder"]);
        assert!(matches!(error, Error::Recording(RecordingError::Io { .. })), "{error:?}");
    }
    for name in ["spikes", "spikes.txt", "spikes.npy"] {
        let error = refused(net.stream_spikes(exc, folder.path().join(name)));
        says(&error, &[name, ".npz or .csv"]);
        assert!(matches!(error, Error::Recording(RecordingError::UnknownFormat { .. })));
    }
    let path = folder.path().join("v.npz");
    let error = refused(net.stream_state(exc, "vv", 1, &path));
    assert!(matches!(error, Error::Network(systems::Error::UnknownName { .. })), "{error:?}");
    let error = refused(net.stream_state(exc, "v", 0, &path));
    assert!(matches!(error, Error::Network(systems::Error::ParameterRange { .. })), "{error:?}");
    let names: Vec<_> = fs::read_dir(folder.path())?.map(|entry| entry.map(|e| e.file_name())).collect();
    assert!(matches!(&names[..], [Ok(name)] if name == "file"), "{names:?}");
    net.run(5)?;
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_folder_that_vanishes_during_the_run_is_named_when_the_recording_is_finished() -> Tested {
    let folder = tempfile::tempdir()?;
    let inner = folder.path().join("inner");
    fs::create_dir(&inner)?;
    let mut net = Neocortex::with(Settings { threads: 1, ..Default::default() })?;
    let exc = net.neurons("exc", 2, (Lif::default(), InjectedCurrent::new(2.0)))?;
    let file = net.stream_spikes(exc, inner.join("spikes.npz"))?;
    net.run(20)?;
    fs::remove_dir_all(&inner)?;
    match file.finish() {
        Err(error @ RecordingError::Io { .. }) => says(&error, &["spikes.npz", "choose another folder"]),
        other => panic!("{other:?}"),
    }
    Ok(())
}
