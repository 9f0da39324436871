//! Decoders of arrays against whatever bytes there may be.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{cifar::Cifar, idx::Idx, npy::Npy, *};
use crate::data::Columns;

/// A file as NumPy writes it.
pub(crate) fn npy(descr: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        numbers,
    ]
    .concat()
}

fn idx(kind: u8, sizes: &[u32], numbers: &[u8]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
    [&[0, 0, kind, (sizes.len() / 4) as u8], &sizes[..], numbers].concat()
}

fn rows(mut array: impl Array) -> Found<Vec<Vec<f64>>> {
    let mut rows = Vec::new();
    array.read(&mut |row| {
        rows.push(row.to_vec());
        Ok(More::Yes)
    })?;
    Ok(rows)
}

fn idx_rows(bytes: &[u8]) -> Found<Vec<Vec<f64>>> {
    rows(Idx::open(Stream::over(bytes)?)?)
}

fn npy_rows(bytes: &[u8]) -> Found<Vec<Vec<f64>>> {
    rows(Npy::open(Stream::over(bytes)?)?)
}

fn cifar_rows(bytes: &[u8]) -> Found<Vec<Vec<f64>>> {
    rows(Cifar::open(Stream::over(bytes)?, Columns::Features))
}

#[test]
fn every_type_of_idx_is_read() {
    let x = [1.5_f32, -2.0].map(f32::to_be_bytes).concat();
    for (kind, bytes, expected) in [
        (0x08, vec![1, 255], [1.0, 255.0]),
        (0x09, vec![1, 255], [1.0, -1.0]),
        (0x0b, vec![0, 1, 255, 254], [1.0, -2.0]),
        (0x0c, vec![0, 0, 1, 0, 255, 255, 255, 255], [256.0, -1.0]),
        (0x0d, x, [1.5, -2.0]),
        (
            0x0e,
            [1.5_f64, -2.0].map(f64::to_be_bytes).concat(),
            [1.5, -2.0],
        ),
    ] {
        let read = idx_rows(&idx(kind, &[1, 2], &bytes)).unwrap();
        assert_eq!(read, [expected], "{kind:02x}");
    }
}

#[test]
fn every_type_of_npy_is_read() {
    for (descr, bytes, expected) in [
        ("|u1", vec![1, 255], [1.0, 255.0]),
        ("|i1", vec![1, 255], [1.0, -1.0]),
        ("<i2", vec![1, 0, 254, 255], [1.0, -2.0]),
        (">i2", vec![0, 1, 255, 254], [1.0, -2.0]),
        (
            ">u4",
            vec![0, 0, 1, 0, 255, 255, 255, 255],
            [256.0, 4294967295.0],
        ),
        (
            "<i8",
            [7_i64, -9].map(i64::to_le_bytes).concat(),
            [7.0, -9.0],
        ),
        (
            "<f4",
            [1.5_f32, -2.0].map(f32::to_le_bytes).concat(),
            [1.5, -2.0],
        ),
        (
            ">f8",
            [1.5_f64, -2.0].map(f64::to_be_bytes).concat(),
            [1.5, -2.0],
        ),
    ] {
        let read = npy_rows(&npy(descr, "(1, 2)", &bytes)).unwrap();
        assert_eq!(read, [expected], "{descr}");
        let column = npy_rows(&npy(descr, "(2,)", &bytes)).unwrap();
        assert_eq!(column.concat(), expected, "{descr}");
    }
}

#[test]
fn headers_that_would_take_all_memory_are_refused() {
    for bytes in [
        idx(0x08, &[1, u32::MAX, u32::MAX], &[]),
        idx(0x08, &[1, 0], &[]),
        npy("|u1", "(1, 99999999999, 99999999999)", &[]),
        npy("|u1", "(1, 0)", &[]),
        npy("|u1", "()", &[1]),
        npy("|O", "(1, 1)", &[1]),
        npy("<f4", "(1, 1", &[1]),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(),
    ] {
        let found = match bytes[0] {
            0 => idx_rows(&bytes),
            _ => npy_rows(&bytes),
        };
        assert_eq!(found.unwrap_err().1.label(), "format");
    }
    let fortran = String::from_utf8_lossy(&npy("|u1", "(1, 2)", &[]))
        .replace("False", "True ")
        .into_bytes();
    // Lossy text breaks the first byte, which is no UTF-8; put it back.
    let fortran = [&[0x93], &fortran['\u{fffd}'.len_utf8()..]].concat();
    let (_, fault) = *npy_rows(&fortran).unwrap_err();
    assert!(fault.to_string().contains("C order"), "{fault}");
}

#[test]
fn a_cut_at_any_byte_is_an_error_and_never_a_panic() {
    let good_idx = idx(0x08, &[3, 2], &[1, 2, 3, 4, 5, 6]);
    let good_npy = npy("<f4", "(2, 2)", &[0; 16]);
    type Decode = fn(&[u8]) -> Found<Vec<Vec<f64>>>;
    let decoders: [(&[u8], Decode); 2] = [(&good_idx, idx_rows), (&good_npy, npy_rows)];
    for (bytes, decode) in decoders {
        assert!(decode(bytes).is_ok());
        for cut in 0..bytes.len() {
            let (_, fault) = *decode(&bytes[..cut]).unwrap_err();
            assert_eq!(fault.label(), "truncated", "cut at {cut}");
        }
        let (_, fault) = *decode(&[bytes, &[0]].concat()).unwrap_err();
        assert_eq!(fault.label(), "format");
    }
    let record = vec![9; 2 * 3073];
    assert_eq!(cifar_rows(&record).unwrap().len(), 2);
    for cut in (1..record.len()).filter(|cut| cut % 3073 != 0) {
        let (_, fault) = *cifar_rows(&record[..cut]).unwrap_err();
        assert_eq!(fault.label(), "truncated", "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(bytes: Vec<u8>, kind in 0..16_u8, sizes: [u8; 2]) {
        let _ = idx_rows(&bytes);
        let _ = npy_rows(&bytes);
        let _ = cifar_rows(&bytes);
        let _ = idx_rows(&idx(kind, &sizes.map(u32::from), &bytes));
        let [rows, width] = sizes;
        let _ = npy_rows(&npy("<f4", &format!("({rows}, {width})"), &bytes));
        let _ = npy_rows(&[b"\x93NUMPY\x01\x00", &bytes[..]].concat());
    }
}
