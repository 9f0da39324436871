//! Layers that fit each other.

use super::{
    Layer, LayerError, LayerPath, SampleShape,
    fit::{self, Takes},
};

/// The parameters of a network at most: 1 GiB of them, of which training
/// holds a few copies. More is a misprint in the job, and would end the
/// process for want of memory instead of the job with a reason.
const MAX_PARAMETERS: usize = 1 << 28;
/// The values of one sample between two layers at most, for the same reason.
const MAX_VALUES: usize = 1 << 24;
/// Layers at most, those inside blocks counted.
const MAX_LAYERS: usize = 1000;
/// Blocks inside blocks at most.
const MAX_DEPTH: usize = 8;

/// What sits above the last layer, where an error must name it.
const CUT: &str = "cut";

/// A network below the cut whose layers fit: what it is built from.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    input: SampleShape,
    layers: Vec<Fitted>,
    width: usize,
    parameters: usize,
}

/// A layer with its place and its shapes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Where it stands.
    pub path: LayerPath,
    /// What it is.
    pub layer: Layer,
    /// What comes to it.
    pub comes: SampleShape,
    /// What leaves it.
    pub leaves: SampleShape,
    /// The layers of a residual block, fitted in their turn; of any other
    /// layer none.
    pub inner: Vec<Fitted>,
    /// The stride of a residual block's projection.
    pub projection: Option<usize>,
}

impl Blueprint {
    /// Walks a sample's shape through `layers`, which must end in a row.
    ///
    /// # Errors
    /// [`LayerError`] naming the first layer that does not take what comes.
    pub fn new(input: SampleShape, layers: &[Layer]) -> Result<Self, LayerError> {
        let mut walk = Walk::default();
        let (layers, leaves) = walk.through(layers, input, 0, &LayerPath::default())?;
        let width = match leaves {
            SampleShape::Row(width) => width,
            _ => {
                return Err(LayerError {
                    layer: LayerPath::outermost(layers.len()),
                    kind: CUT,
                    takes: "a row of values (end with a flatten layer)".into(),
                    got: leaves.to_string(),
                });
            }
        };
        Ok(Self {
            input,
            layers,
            width,
            parameters: walk.parameters,
        })
    }

    /// What the first layer takes.
    pub fn input(&self) -> SampleShape {
        self.input
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Fitted] {
        &self.layers
    }

    /// h: the width of the cut.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many numbers are learnt below the cut.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// An error of what came to the cut at run time, above all layers.
    pub fn at_the_cut(&self, takes: String, got: String) -> LayerError {
        LayerError {
            layer: LayerPath::outermost(self.layers.len()),
            kind: CUT,
            takes,
            got,
        }
    }

    /// An error of what came to the first layer at run time.
    pub fn at_the_input(&self, takes: String, got: String) -> LayerError {
        LayerError {
            layer: LayerPath::outermost(0),
            kind: self.layers.first().map_or(CUT, |first| first.layer.kind()),
            takes,
            got,
        }
    }
}

/// What is counted on the way.
#[derive(Default)]
struct Walk {
    layers: usize,
    parameters: usize,
}

impl Walk {
    fn through(
        &mut self,
        layers: &[Layer],
        input: SampleShape,
        depth: usize,
        block: &LayerPath,
    ) -> Result<(Vec<Fitted>, SampleShape), LayerError> {
        let mut comes = input;
        let mut fitted = Vec::new();
        for (place, layer) in layers.iter().enumerate() {
            let one = self.fit(layer, comes, depth, block.inside(place))?;
            comes = one.leaves;
            fitted.push(one);
        }
        Ok((fitted, comes))
    }

    fn fit(
        &mut self,
        layer: &Layer,
        comes: SampleShape,
        depth: usize,
        path: LayerPath,
    ) -> Result<Fitted, LayerError> {
        let refused = |path: &LayerPath, takes: Takes, got: SampleShape| LayerError {
            layer: path.clone(),
            kind: layer.kind(),
            takes,
            got: got.to_string(),
        };
        self.layers += 1;
        if self.layers > MAX_LAYERS || depth > MAX_DEPTH {
            let takes =
                format!("at most {MAX_LAYERS} layers in all, {MAX_DEPTH} blocks inside each other");
            return Err(refused(&path, takes, comes));
        }
        if comes.values() == 0 {
            return Err(refused(&path, "at least one value".into(), comes));
        }
        let mut leaves = fit::after(layer, comes).map_err(|takes| refused(&path, takes, comes))?;
        let (mut inner, mut projection) = (Vec::new(), None);
        let mut learnt = fit::parameters(layer, comes);
        if let Layer::Residual { layers, shortcut } = layer {
            (inner, leaves) = self.through(layers, comes, depth + 1, &path)?;
            projection = fit::stride_of(*shortcut, comes, leaves)
                .map_err(|takes| refused(&path, takes, leaves))?;
            if projection.is_some() {
                let ([from, ..], [to, ..]) = (comes.as_image(), leaves.as_image());
                learnt = from.saturating_mul(to);
            }
        }
        self.parameters = self.parameters.saturating_add(learnt);
        if self.parameters > MAX_PARAMETERS || leaves.values() > MAX_VALUES {
            let takes = format!(
                "at most {MAX_PARAMETERS} parameters together with those below it, and {MAX_VALUES} values a sample"
            );
            return Err(refused(&path, takes, comes));
        }
        Ok(Fitted {
            path,
            layer: layer.clone(),
            comes,
            leaves,
            inner,
            projection,
        })
    }
}
