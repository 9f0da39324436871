//! The files of a table.

use std::{collections::HashMap, path::Path};

use entente_protocol::rows::RowId;

use super::{limit_bytes, spooled};
use crate::data::{
    config::{ColumnRef, DatasetConfig, TableConfig},
    error::{Fault, Names, Place},
    plan::{Planned, find, plan},
    source::{Found, More, Stream, Table, TableRow, Value, at, csv::Csv},
    store::{Cell, Filling, Store},
};

/// Opens a file of a table.
fn open_table(config: &DatasetConfig, table: &TableConfig, path: &Path) -> Found<Box<dyn Table>> {
    match config {
        #[cfg(feature = "parquet")]
        DatasetConfig::Parquet(_) => {
            let file = crate::data::source::parquet::Parquet::open(path)?;
            Ok(Box::new(file))
        }
        #[cfg(not(feature = "parquet"))]
        DatasetConfig::Parquet(_) => at(Place::file(path), Fault::WithoutParquet),
        _ => {
            let stream = Stream::open(path)?;
            Ok(Box::new(Csv::open(stream, table.header, table.delimiter)?))
        }
    }
}

/// What is made of the rows of a table.
trait Sink {
    /// The columns are known.
    fn begin(&mut self, columns: &[String], file: &Place) -> Found<()>;

    /// A row.
    fn take(&mut self, row: &TableRow<'_>) -> Found<()>;
}

/// Reads a table into a sink; how many rows there were.
fn pour(config: &DatasetConfig, table: &TableConfig, sink: &mut dyn Sink) -> Found<u64> {
    let (mut rows, most) = (0, table.rows.unwrap_or(u64::MAX));
    let mut columns: Option<Vec<String>> = None;
    for path in table.path.each() {
        let mut file = open_table(config, table, path)?;
        let place = Place::file(path);
        match &columns {
            None => {
                sink.begin(file.columns(), &place)?;
                columns = Some(file.columns().to_vec());
            }
            Some(columns) if columns == file.columns() => {}
            Some(_) => {
                let problem = "its columns are others than those of the file before".to_owned();
                return at(place, Fault::Format { problem });
            }
        }
        if rows == most {
            break;
        }
        file.read(&mut |row| {
            sink.take(&row)?;
            rows += 1;
            Ok(if rows == most {
                More::Enough
            } else {
                More::Yes
            })
        })?;
    }
    if rows == 0 {
        let first = table.path.each().first();
        let place = first.map_or_else(Place::default, |path| Place::file(path));
        return at(place, Fault::Empty);
    }
    Ok(rows)
}

/// A column that is not as it should be, in a file.
fn named<T>(file: &Place, found: Result<T, (String, Fault)>) -> Found<T> {
    found.or_else(|(column, fault)| at(file.clone().column(&column), fault))
}

/// The ids of a table, where they are wanted.
struct Ids<'a> {
    wanted: WantedId<'a>,
    index: usize,
    read: ReadIds,
}

/// Which ids are wanted of a table.
#[derive(Clone, Copy)]
pub(in crate::data) struct WantedId<'a> {
    column: Option<&'a ColumnRef>,
    /// Whether what stands there is wanted too.
    texts: bool,
}

impl<'a> WantedId<'a> {
    pub(in crate::data) fn none() -> Self {
        Self {
            column: None,
            texts: false,
        }
    }

    pub(in crate::data) fn of(column: &'a ColumnRef, texts: bool) -> Self {
        Self {
            column: Some(column),
            texts,
        }
    }
}

/// The ids of a table, in the order of its rows.
#[derive(Default)]
pub(in crate::data) struct ReadIds {
    pub(in crate::data) ids: Vec<RowId>,
    /// What stands there, if that was wanted.
    pub(in crate::data) texts: Vec<String>,
}

impl<'a> Ids<'a> {
    fn new(wanted: WantedId<'a>) -> Self {
        Self {
            wanted,
            index: 0,
            read: ReadIds::default(),
        }
    }

    fn begin(&mut self, columns: &[String], file: &Place) -> Found<()> {
        if let Some(column) = self.wanted.column {
            self.index = named(file, find(columns, column))?;
        }
        Ok(())
    }

    fn take(&mut self, row: &TableRow<'_>) -> Found<()> {
        let Some(column) = self.wanted.column else {
            return Ok(());
        };
        let id = row.cell(self.index).unwrap_or_default();
        if id.is_empty() {
            let place = row.place.clone().column(&column.to_string());
            return at(place, Fault::MissingValue);
        }
        self.read.ids.push(RowId::of(id));
        if self.wanted.texts {
            self.read.texts.push(id.to_owned());
        }
        Ok(())
    }
}

/// The ids of a table, and nothing else of it.
pub(in crate::data) fn table_ids(
    config: &DatasetConfig,
    table: &TableConfig,
    id: WantedId<'_>,
) -> Found<ReadIds> {
    let mut ids = Ids::new(id);
    pour(config, table, &mut ids)?;
    Ok(ids.read)
}

impl Sink for Ids<'_> {
    fn begin(&mut self, columns: &[String], file: &Place) -> Found<()> {
        Ids::begin(self, columns, file)
    }

    fn take(&mut self, row: &TableRow<'_>) -> Found<()> {
        Ids::take(self, row)
    }
}

/// The raw features of a table, and its ids if they are wanted.
pub(in crate::data) fn table_features(
    config: &DatasetConfig,
    table: &TableConfig,
    spool: &Path,
    id: WantedId<'_>,
) -> Found<(Vec<Planned>, Store, ReadIds)> {
    let mut sink = FeatureSink {
        table,
        spool,
        planned: Vec::new(),
        filling: Filling::new(Cell::Float, 0, 0),
        ids: Ids::new(id),
        raw: Vec::new(),
    };
    pour(config, table, &mut sink)?;
    let store = spooled(sink.filling.finish())?;
    Ok((sink.planned, store, sink.ids.read))
}

struct FeatureSink<'a> {
    table: &'a TableConfig,
    spool: &'a Path,
    planned: Vec<Planned>,
    filling: Filling,
    ids: Ids<'a>,
    raw: Vec<f64>,
}

impl Sink for FeatureSink<'_> {
    fn begin(&mut self, columns: &[String], file: &Place) -> Found<()> {
        self.ids.begin(columns, file)?;
        self.planned = named(file, plan(self.table, columns))?;
        let limit = limit_bytes(self.table.memory_mb);
        self.filling = Filling::new(Cell::Float, self.planned.len(), limit);
        Ok(())
    }

    fn take(&mut self, row: &TableRow<'_>) -> Found<()> {
        self.ids.take(row)?;
        self.raw.clear();
        for column in &mut self.planned {
            match column.number(row.cell(column.index)) {
                Ok(number) => self.raw.push(number),
                Err(fault) => return at(row.place.clone().column(&column.name), fault),
            }
        }
        spooled(self.filling.push(&self.raw, self.spool))
    }
}

/// The classes of a table, and its ids if they are wanted.
pub(in crate::data) fn table_labels(
    config: &DatasetConfig,
    table: &TableConfig,
    id: WantedId<'_>,
) -> Found<(Vec<u16>, ReadIds)> {
    let Some(label) = &table.label else {
        let problem = "say which column has the classes: label = COLUMN".to_owned();
        return at(Place::default(), Fault::Configuration { problem });
    };
    let mut sink = LabelSink {
        table,
        label,
        index: 0,
        known: table.classes.iter().map(String::as_str).zip(0..).collect(),
        classes: Vec::new(),
        ids: Ids::new(id),
    };
    pour(config, table, &mut sink)?;
    Ok((sink.classes, sink.ids.read))
}

struct LabelSink<'a> {
    table: &'a TableConfig,
    label: &'a ColumnRef,
    index: usize,
    known: HashMap<&'a str, u16>,
    classes: Vec<u16>,
    ids: Ids<'a>,
}

impl Sink for LabelSink<'_> {
    fn begin(&mut self, columns: &[String], file: &Place) -> Found<()> {
        self.ids.begin(columns, file)?;
        self.index = named(file, find(columns, self.label))?;
        Ok(())
    }

    fn take(&mut self, row: &TableRow<'_>) -> Found<()> {
        self.ids.take(row)?;
        let text = row.cell(self.index).unwrap_or_default();
        let Some(class) = self.known.get(text) else {
            let place = row.place.clone().column(&self.label.to_string());
            let classes = Names(self.table.classes.clone());
            let value = text.to_owned();
            return at(place, Fault::Label { value, classes });
        };
        self.classes.push(*class);
        Ok(())
    }
}

impl TableRow<'_> {
    /// A cell; a row has as many as there are columns.
    fn cell(&self, index: usize) -> Value<'_> {
        self.cells.get(index).copied().flatten()
    }
}
