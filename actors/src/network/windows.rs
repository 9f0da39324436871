//! Convolutions as one product of matrices.
//!
//! ```text
//!   x: B x C x H x W        what each window sees, side by side     weights
//!        ──▶ CHW x B  ── gather ──▶  CK x PB                    ◀── O x CK
//!                                        └────── product: O x PB ──────┘
//! ```
//!
//! K points of a kernel, P places of it, O channels that leave. The tensor
//! library has a convolution too, written as loops; here that library is built
//! for a short first build and not for speed, and its loops take several times
//! as long as copying and one product, which is done by a library that is
//! built for speed. (LeNet-5's two layers, in one run: forward 4 to 20 times,
//! backward twice.) What the copy costs is memory: K values for one. Where
//! that is too much, the loops are taken.

use burn::tensor::{Device, Int, Tensor, TensorData, module::conv2d, ops::ConvOptions};

/// Values that the windows of a sample may see in all before loops are taken:
/// 128 MiB in a batch of 128.
const MOST: usize = 1 << 18;

/// How a kernel moves over images of one size.
#[derive(Clone)]
pub(super) struct Windows {
    /// C, before.
    channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    /// H and W, after.
    places: [usize; 2],
    /// For every channel and point of the kernel, and every place of it, the
    /// value that is seen; `CHW` is a zero of the padding.
    seen: Option<Tensor<1, Int>>,
}

impl Windows {
    /// Over images of `channels x height x width`, which the kernel fits.
    pub(super) fn new(
        [channels, height, width]: [usize; 3],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        device: &Device,
    ) -> Self {
        let along = |points: usize, axis: usize| {
            (points + 2 * padding[axis]).saturating_sub(kernel[axis]) / stride[axis] + 1
        };
        let places = [along(height, 0), along(width, 1)];
        let count = [channels, kernel[0], kernel[1], places[0], places[1]]
            .into_iter()
            .fold(1, usize::saturating_mul);
        let mut windows = Self {
            channels,
            kernel,
            stride,
            padding,
            places,
            seen: None,
        };
        if count <= MOST {
            let seen = windows.all_seen(height, width);
            let data = TensorData::new(seen, [count]);
            windows.seen = Some(Tensor::from_data(data, device));
        }
        windows
    }

    /// The same by loops, however small.
    #[cfg(test)]
    pub(super) fn by_loops(&self) -> Self {
        Self {
            seen: None,
            ..self.clone()
        }
    }

    /// By channel, point of the kernel, and place.
    fn all_seen(&self, height: usize, width: usize) -> Vec<i64> {
        let nothing = self.channels * height * width;
        let at = |c: usize, y: usize, x: usize| {
            let y = y.checked_sub(self.padding[0]).filter(|y| *y < height);
            let x = x.checked_sub(self.padding[1]).filter(|x| *x < width);
            y.zip(x)
                .map_or(nothing, |(y, x)| (c * height + y) * width + x)
        };
        let mut seen = Vec::new();
        for c in 0..self.channels {
            for k in 0..self.kernel[0] {
                for l in 0..self.kernel[1] {
                    for i in 0..self.places[0] {
                        for j in 0..self.places[1] {
                            let (y, x) = (i * self.stride[0] + k, j * self.stride[1] + l);
                            seen.push(at(c, y, x) as i64);
                        }
                    }
                }
            }
        }
        seen
    }

    /// `B x C x H x W` by weights of `O x CK` (and a bias for each of the O):
    /// `B x O x H' x W'`.
    pub(super) fn convolve(
        &self,
        x: Tensor<4>,
        weight: Tensor<2>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let [outputs, points] = weight.dims();
        let [high, wide] = self.places;
        let Some(seen) = self.seen.clone() else {
            let weight = weight.reshape([outputs, channels, self.kernel[0], self.kernel[1]]);
            let options = ConvOptions::new(self.stride, self.padding, [1, 1], 1);
            return conv2d(x, weight, bias, options);
        };
        let values = channels * height * width;
        let mut rows = x.reshape([batch, values]).transpose();
        if self.padding != [0, 0] {
            let zeros = Tensor::zeros([1, batch], &rows.device());
            rows = Tensor::cat(vec![rows, zeros], 0);
        }
        let seen = rows.select(0, seen).reshape([points, high * wide * batch]);
        let mut z = weight.matmul(seen);
        if let Some(bias) = bias {
            z = z + bias.reshape([outputs, 1]);
        }
        z.reshape([outputs * high * wide, batch])
            .transpose()
            .reshape([batch, outputs, high, wide])
    }

    /// The mean of each window, channel by channel: a convolution with even
    /// weights. (Made for images of one channel, where a channel counts as a
    /// sample.)
    pub(super) fn mean(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let points = self.kernel[0] * self.kernel[1];
        let even = Tensor::full([1, points], 1.0 / points as f32, &x.device());
        let [high, wide] = self.places;
        self.convolve(x.reshape([batch * channels, 1, height, width]), even, None)
            .reshape([batch, channels, high, wide])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By one product and by the library's loops: values, and gradients of
    /// both operands.
    #[test]
    fn both_ways_are_the_same() {
        let device = Device::flex().autodiff();
        let made_up = |count: usize, axes: [usize; 4]| {
            let values = (0..count).map(|i| ((i * 37 % 23) as f32 - 11.0) / 7.0);
            let data = TensorData::new(values.collect::<Vec<f32>>(), axes);
            Tensor::<4>::from_data(data, &device).require_grad()
        };
        for (stride, padding) in [([1, 1], [0, 0]), ([2, 1], [1, 2]), ([3, 2], [2, 0])] {
            let windows = Windows::new([3, 7, 8], [3, 2], stride, padding, &device);
            let loops = windows.by_loops();
            let both = [windows, loops].map(|windows| {
                let (x, weight) = (made_up(336, [2, 3, 7, 8]), made_up(72, [4, 3, 3, 2]));
                let bias = made_up(4, [4, 1, 1, 1]).reshape([4]);
                let flat = weight.clone().reshape([4, 18]);
                let z = windows.convolve(x.clone(), flat, Some(bias));
                let gradients = (z.clone() * z.clone()).sum().backward();
                let of = |x: &Tensor<4>| x.grad(&gradients).map(Tensor::into_data);
                (z.dims(), z.into_data(), of(&x), of(&weight))
            });
            let [(axes, z, d_x, d_w), (axes_too, z_too, d_x_too, d_w_too)] = both;
            assert_eq!(axes, axes_too);
            let close = |a: &TensorData, b: &TensorData| {
                assert_eq!(a.shape(), b.shape());
                let pairs = a.iter::<f32>().zip(b.iter::<f32>());
                assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-3));
            };
            close(&z, &z_too);
            for (one, other) in [(d_x, d_x_too), (d_w, d_w_too)] {
                assert!(one.is_some() && other.is_some());
                if let (Some(one), Some(other)) = (one, other) {
                    close(&one, &other);
                }
            }
        }
    }

    #[test]
    fn where_a_copy_would_be_too_large_loops_are_taken() {
        let windows = |height| {
            let images = [8, height, 64];
            Windows::new(images, [3, 3], [1, 1], [1, 1], &Device::flex())
        };
        assert!(windows(32).seen.is_some());
        assert!(windows(128).seen.is_none());
    }
}
