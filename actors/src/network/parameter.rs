//! The numbers of a layer.
//!
//! Every one is kept flat and takes its shape where it is used. So an
//! optimiser, a file and a checkpoint have one kind of tensor to deal with,
//! whatever the layer, and the layout in memory is the one that files have:
//! PyTorch's, last axis fastest.

use burn::tensor::{Device, Gradients, Tensor};
use entente_protocol::network::NamedTensor;

use super::tensors::{flat, values};

/// Numbers that a layer holds: learnt, or kept as it goes.
#[derive(Clone)]
pub(super) struct Parameter {
    shape: Vec<usize>,
    values: Tensor<1>,
    learnt: bool,
}

impl Parameter {
    /// Numbers that are learnt.
    pub(super) fn learnt(shape: &[usize], values: Vec<f32>, device: &Device) -> Self {
        Self {
            shape: shape.into(),
            values: flat(values, device).require_grad(),
            learnt: true,
        }
    }

    /// Numbers that are kept and not learnt.
    pub(super) fn kept(values: Vec<f32>, device: &Device) -> Self {
        Self {
            shape: vec![values.len()],
            values: flat(values, device),
            learnt: false,
        }
    }

    /// The length along each axis.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// In a shape of as many values.
    pub(super) fn shaped<const D: usize>(&self, axes: [usize; D]) -> Tensor<D> {
        self.values.clone().reshape(axes)
    }

    /// As it is: one axis.
    pub(super) fn flat(&self) -> Tensor<1> {
        self.values.clone()
    }

    /// Its gradient, if it is learnt and took part.
    pub(super) fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>> {
        self.learnt.then(|| self.values.grad(gradients)).flatten()
    }

    /// Puts other values in its place, as many.
    pub(super) fn set(&mut self, values: Tensor<1>) {
        let values = values.detach();
        self.values = match self.learnt {
            true => values.require_grad(),
            false => values,
        };
    }

    /// Puts these values in its place, as many, on the same device.
    pub(super) fn set_values(&mut self, values: Vec<f32>) {
        let device = self.values.device();
        self.set(flat(values, &device));
    }

    /// Without a graph, for inference.
    pub(super) fn without_graph(&mut self) {
        self.values = self.values.clone().without_autodiff();
        self.learnt = false;
    }

    /// As it stands in files.
    pub(super) fn named(&self, name: String) -> NamedTensor {
        NamedTensor {
            name,
            shape: self.shape.clone(),
            values: values(self.values.clone()),
        }
    }
}
