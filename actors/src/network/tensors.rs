//! Between burn's tensors and plain values.

use burn::tensor::{Device, Tensor, TensorData};
use entente_protocol::{job::SampleShape, network::NetworkError};
use ndarray::Array2;

/// Rows of data (`B x d`) as images (`B x channels x height x width`), which
/// every layer takes.
pub(super) fn images(x: &Array2<f32>, shape: SampleShape, device: &Device) -> Tensor<4> {
    let [channels, height, width] = shape.as_image();
    // Row-major, whatever the layout of `x`.
    let values: Vec<f32> = x.iter().copied().collect();
    let axes = [x.nrows(), channels, height, width];
    Tensor::from_data(TensorData::new(values, axes), device)
}

/// The cut's gradient beside the cut's activations: `B x h x 1 x 1`.
pub(super) fn at_the_cut(d_a: &Array2<f32>, device: &Device) -> Tensor<4> {
    images(d_a, SampleShape::Row(d_a.ncols()), device)
}

/// What has come out at the cut, `B x h`.
pub(super) fn matrix(a: Tensor<4>) -> Result<Array2<f32>, NetworkError> {
    let [rows, columns, ..] = a.dims();
    let values = values(a.reshape([-1]));
    let got = values.len();
    Array2::from_shape_vec((rows, columns), values).map_err(|_| {
        NetworkError::Data(format!(
            "the tensor library gave {got} values for {rows} x {columns}; \
             this is a defect, please report it"
        ))
    })
}

/// The values of a tensor.
pub(super) fn values(x: Tensor<1>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// A tensor of these values.
pub(super) fn flat(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
