//! Recorded numbers on their way to disk.
//!
//! A recording may be longer than memory, so [`RowWriter`] and [`EventWriter`] append to the disk as the simulation runs
//! and keep only a small buffer. The extension chooses the format: `.csv` for reading by eye, `.npz` for
//! `numpy.load`. [`save_npz`] writes arrays that are in memory already, such as weights.
//!
//! Nothing half written ever bears the final name: rows go to a spool beside it, which `finish` turns into the file.

mod error;
mod stream;
mod arrays;
mod spool;

pub use arrays::{NpzArray, save_npz};
pub use error::RecordingError;
pub use stream::{EventWriter, RowWriter};

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array1, Array2, array};
    use ndarray_npy::NpzReader;
    use tempfile::tempdir;

    use super::spool::npy_header;
    use super::*;
    use conex_systems::Real;
    use std::fs::{self, File};
    use std::path::Path;

    fn write_rows(path: &Path, rows: usize) {
        let mut writer = RowWriter::create(path, 3).unwrap();
        for row in 0..rows {
            let value = row as Real;
            writer.append(row as f64 * 0.5, &[value, -value, value / 3.0]).unwrap();
        }
        assert_eq!(writer.rows(), rows as u64);
        writer.finish().unwrap();
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn streamed_rows_read_back_as_two_arrays() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.npz");
        write_rows(&path, 10_000);
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        let time: Array1<f64> = npz.by_name("time").unwrap();
        let values: Array2<Real> = npz.by_name("values").unwrap();
        assert_eq!(time, Array::from_iter((0..10_000).map(|row| row as f64 * 0.5)));
        assert_eq!(values.dim(), (10_000, 3));
        assert_eq!(values.row(9_999), array![9_999.0, -9_999.0, 9_999.0 as Real / 3.0]);
        assert_eq!(names_in(folder.path()), ["v.npz"]);
    }

    #[test]
    fn streamed_spikes_read_back_as_two_arrays() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("spikes.npz");
        let mut writer = EventWriter::create(&path).unwrap();
        for (time, neuron) in [(0.5, 7), (0.5, u32::MAX), (1.25, 0)] {
            writer.append(time, neuron).unwrap();
        }
        assert_eq!(writer.events(), 3);
        writer.finish().unwrap();
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(
            npz.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix1>("time").unwrap(),
            array![0.5, 0.5, 1.25]
        );
        assert_eq!(
            npz.by_name::<ndarray::OwnedRepr<u32>, ndarray::Ix1>("neuron").unwrap(),
            array![7, u32::MAX, 0]
        );
    }

    #[test]
    fn nothing_recorded_is_a_valid_empty_file() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.npz");
        write_rows(&path, 0);
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        let values: Array2<Real> = npz.by_name("values").unwrap();
        assert_eq!(values.dim(), (0, 3));
    }

    #[test]
    fn csv_lines_read_like_the_rows_that_were_appended() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.csv");
        let mut writer = RowWriter::create(&path, 2).unwrap();
        writer.append(0.1, &[-65.0, 0.25]).unwrap();
        writer.append(0.2, &[Real::NAN, 1e-9]).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,0,1\n0.1,-65,0.25\n0.2,NaN,0.000000001\n");

        let path = folder.path().join("spikes.CSV");
        let mut writer = EventWriter::create(&path).unwrap();
        writer.append(12.5, 3).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,neuron\n12.5,3\n");
        assert_eq!(names_in(folder.path()), ["spikes.CSV", "v.csv"]);
    }

    #[test]
    fn a_writer_dropped_early_keeps_its_spool_and_the_older_file() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("spikes.npz");
        fs::write(&path, "older").unwrap();
        let mut writer = EventWriter::create(&path).unwrap();
        writer.append(2.0, 1).unwrap();
        drop(writer);
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        assert_eq!(
            fs::read(folder.path().join("spikes.npz.part")).unwrap(),
            [&2f64.to_le_bytes()[..], &[1, 0, 0, 0]].concat()
        );
    }

    #[test]
    fn a_row_of_another_width_is_refused_and_not_written() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("v.csv");
        let mut writer = RowWriter::create(&path, 2).unwrap();
        let error = writer.append(0.0, &[1.0]).unwrap_err();
        assert!(error.to_string().contains("2 columns") && error.to_string().contains("1 values"), "{error}");
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "time_ms,0,1\n");
    }

    #[test]
    fn an_unknown_extension_names_the_two_formats() {
        let error = EventWriter::create(Path::new("spikes.parquet")).unwrap_err();
        assert!(matches!(error, RecordingError::UnknownFormat { .. }));
        assert_eq!(
            error.to_string(),
            "cannot tell the format of `spikes.parquet`: end its name in .npz or .csv"
        );
        assert!(matches!(save_npz(Path::new("w.csv"), &[]), Err(RecordingError::UnknownFormat { .. })));
    }

    #[test]
    fn a_missing_folder_is_an_error_that_says_what_to_do() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("nowhere").join("v.npz");
        let error = RowWriter::create(&path, 1).unwrap_err();
        assert!(error.to_string().starts_with("cannot write `"), "{error}");
        assert!(error.to_string().ends_with("choose another folder with --out"), "{error}");
    }

    #[test]
    fn headers_start_the_data_at_a_multiple_of_64() {
        for rows in [0, 1, 999_999_999, u64::MAX] {
            for columns in [None, Some(0), Some(usize::MAX)] {
                let header = npy_header("<f4", rows, columns);
                assert_eq!(header.len() % 64, 0);
                assert_eq!(usize::from(u16::from_le_bytes([header[8], header[9]])), header.len() - 10);
                assert_eq!(header.last(), Some(&b'\n'));
            }
        }
    }

    #[test]
    fn saved_arrays_keep_their_type_and_shape() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("w.npz");
        let weights = Array::from_shape_fn((2, 3, 4), |(i, j, k)| (i * 12 + j * 4 + k) as f32);
        let (rates, sources, labels) = (array![1.5f64], array![[7u32, 8]], array![-3i64, 4]);
        save_npz(
            &path,
            &[
                ("weights", weights.t().into()),
                ("rates", rates.view().into()),
                ("sources", sources.view().into()),
                ("labels", labels.view().into()),
            ],
        )
        .unwrap();
        let mut npz = NpzReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<f32>, ndarray::Ix3>("weights").unwrap(), weights.t());
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<f64>, ndarray::Ix1>("rates").unwrap(), rates);
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<u32>, ndarray::Ix2>("sources").unwrap(), sources);
        assert_eq!(npz.by_name::<ndarray::OwnedRepr<i64>, ndarray::Ix1>("labels").unwrap(), labels);
    }

    #[test]
    fn array_names_must_be_present_plain_and_distinct() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("w.npz");
        let one = array![1.0f64];
        for names in [vec![""], vec!["a/b"], vec!["a", "a"]] {
            let arrays: Vec<_> = names.iter().map(|name| (*name, NpzArray::from(one.view()))).collect();
            assert!(matches!(save_npz(&path, &arrays), Err(RecordingError::ArrayName { .. })), "{names:?}");
        }
        assert!(names_in(folder.path()).is_empty());
    }
}
