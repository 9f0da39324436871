//! Comma-separated values.

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use super::{Found, More, Stream, Table, TableRow, Value, at};
use crate::data::error::{Fault, Place, unreadable};

/// A CSV file, its first line read.
pub(in crate::data) struct Csv {
    place: Place,
    reader: Reader<Stream>,
    columns: Vec<String>,
    header: bool,
}

impl Csv {
    /// Reads the names of the columns. Without a `header` they go by their
    /// numbers from 1.
    pub(in crate::data) fn open(stream: Stream, header: bool, delimiter: char) -> Found<Self> {
        let place = Place::file(stream.path());
        let mut reader = ReaderBuilder::new()
            .has_headers(header)
            .delimiter(delimiter as u8)
            .trim(Trim::All)
            .from_reader(stream);
        let first = match reader.headers() {
            Ok(first) => first.clone(),
            Err(error) => return fault(place, error),
        };
        if first.is_empty() {
            return at(place, Fault::Empty);
        }
        let columns = if header {
            first.iter().map(str::to_owned).collect()
        } else {
            (1..=first.len()).map(|number| number.to_string()).collect()
        };
        Ok(Self {
            place,
            reader,
            columns,
            header,
        })
    }
}

fn fault<T>(place: Place, error: ::csv::Error) -> Found<T> {
    let line = error.position().map(::csv::Position::line);
    let place = match line {
        Some(line) => place.line(line),
        None => place,
    };
    match error.into_kind() {
        ErrorKind::Io(error) => at(place, unreadable(&error, "its text")),
        ErrorKind::Utf8 { .. } => at(place, Fault::NotText),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            let (expected, got) = (expected_len, len);
            at(place, Fault::Ragged { expected, got })
        }
        other => {
            let problem = format!("it cannot be read as CSV ({other:?})");
            at(place, Fault::Format { problem })
        }
    }
}

impl Table for Csv {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, each: &mut dyn FnMut(TableRow<'_>) -> Found<More>) -> Found<()> {
        let mut record = StringRecord::new();
        let mut row = 0;
        loop {
            match self.reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return fault(self.place.clone().row(row + 1), error),
            }
            row += 1;
            let line = record
                .position()
                .map_or(row + u64::from(self.header), |at| at.line());
            let cells: Vec<Value<'_>> = record.iter().map(Some).collect();
            let place = self.place.clone().row(row).line(line);
            let cells = &cells;
            if each(TableRow { place, cells })? == More::Enough {
                return Ok(());
            }
        }
    }
}
