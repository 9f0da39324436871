//! Parquet, row by row: behind a cargo feature, because its crate takes as
//! long to build as a good part of the rest.

use std::{fs::File, path::Path};

use ::parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

use super::{Found, More, Table, TableRow, Value, at};
use crate::data::error::{Fault, Place, unreadable};

/// A Parquet file, its footer read.
pub(in crate::data) struct Parquet {
    place: Place,
    reader: SerializedFileReader<File>,
    columns: Vec<String>,
}

impl Parquet {
    /// Reads the footer.
    pub(in crate::data) fn open(path: &Path) -> Found<Self> {
        let place = Place::file(path);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return at(place, unreadable(&error, "its beginning")),
        };
        let reader = match SerializedFileReader::new(file) {
            Ok(reader) => reader,
            Err(error) => return at(place, fault(&error)),
        };
        let schema = reader.metadata().file_metadata().schema();
        let columns = schema.get_fields().iter();
        let columns = columns.map(|field| field.name().to_owned()).collect();
        Ok(Self {
            place,
            reader,
            columns,
        })
    }
}

fn fault(error: &ParquetError) -> Fault {
    match error {
        ParquetError::EOF(_) => Fault::Truncated { what: "its pages" },
        _ => Fault::Format {
            problem: format!("it cannot be read as Parquet ({error})"),
        },
    }
}

/// A cell as text; `Err` for what is no single value.
fn text(field: &Field) -> Result<Option<String>, ()> {
    Ok(match field {
        Field::Null => None,
        Field::Str(text) => Some(text.trim().to_owned()),
        Field::Float(x) => Some(f64::from(*x).to_string()),
        Field::Double(x) => Some(x.to_string()),
        Field::Bytes(_) | Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            return Err(());
        }
        other => Some(other.to_string()),
    })
}

impl Table for Parquet {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, each: &mut dyn FnMut(TableRow<'_>) -> Found<More>) -> Found<()> {
        let rows = match self.reader.get_row_iter(None) {
            Ok(rows) => rows,
            Err(error) => return at(self.place.clone(), fault(&error)),
        };
        for (row, number) in rows.zip(1..) {
            let place = self.place.clone().row(number);
            let row = match row {
                Ok(row) => row,
                Err(error) => return at(place, fault(&error)),
            };
            let mut texts = Vec::with_capacity(self.columns.len());
            for (name, field) in row.get_column_iter() {
                match text(field) {
                    Ok(text) => texts.push(text),
                    Err(()) => {
                        let problem = "a cell is no single number or text".to_owned();
                        return at(place.column(name), Fault::Format { problem });
                    }
                }
            }
            let cells: Vec<Value<'_>> = texts.iter().map(Option::as_deref).collect();
            let cells = &cells;
            if each(TableRow { place, cells })? == More::Enough {
                break;
            }
        }
        Ok(())
    }
}
