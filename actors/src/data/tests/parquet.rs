//! Tables in Parquet.

use std::{fs::File, sync::Arc};

use ::parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};

use super::*;

fn write(path: &Path) {
    let schema = "message table { REQUIRED INT64 id; OPTIONAL DOUBLE age; \
                  REQUIRED BYTE_ARRAY kind (STRING); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Default::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let ids = [9_007_199_254_740_993_i64, 2, 3];
    let ids = column.typed::<Int64Type>().write_batch(&ids, None, None);
    assert_eq!(ids.unwrap(), 3);
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let ages = column.typed::<DoubleType>();
    ages.write_batch(&[1.0, 3.0], Some(&[1, 0, 1]), None)
        .unwrap();
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let kinds = ["new", "old", "new"].map(ByteArray::from);
    let kinds = column
        .typed::<ByteArrayType>()
        .write_batch(&kinds, None, None);
    assert_eq!(kinds.unwrap(), 3);
    column.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
}

const REST: &str = r#"
    source = "parquet"
    columns = "features"
    id = "id"
    features = [{ column = "age", missing = 2.0 }, { column = "kind", categories = ["new", "old"] }]
    standardise = "none"
"#;

#[test]
fn numbers_text_and_gaps_are_read() {
    let files = Files::new();
    let path = files.0.path().join("t.parquet");
    write(&path);
    let job = job(3, 2, |spec| spec.data.test_fraction = 0.0);
    let rows = features_of(&config(&path, REST), &job).unwrap();
    assert_eq!(rows, [[1.0, 1.0, 0.0], [2.0, 0.0, 1.0], [3.0, 1.0, 0.0]]);
}

#[test]
fn a_cut_at_any_byte_is_an_error() {
    let files = Files::new();
    let path = files.0.path().join("t.parquet");
    write(&path);
    let whole = fs::read(&path).unwrap();
    let job = job(3, 2, |spec| spec.data.test_fraction = 0.0);
    for cut in 0..whole.len() {
        let path = files.write("cut.parquet", &whole[..cut]);
        let error = open_features(&config(&path, REST), &job).err().unwrap();
        assert!(["truncated", "format"].contains(&error.label()), "{error}");
    }
}
