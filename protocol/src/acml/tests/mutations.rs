//! Each way in which the protocol is commonly computed wrong, and that the
//! weights tell. The paper's own misprints are among them; all of them train.

use std::sync::Arc;

use entente_he::{Transparent, TransparentBackend};

use super::{Case, train};
use crate::acml::{
    Model,
    algebra::{Algebra, Corrected, wrong},
};

/// With a logit for each class, and with one for two classes.
fn cases() -> [Case; 2] {
    [Case::small(), Case::binary()].map(|case| Case { epochs: 20, ..case })
}

fn reference(case: &Case) -> Model {
    let mut reference = case.reference(case.bottom());
    reference.run().unwrap();
    reference.model()
}

fn trained<A: Algebra>(case: &Case) -> Model {
    train::<Transparent, A>(
        case,
        &case.job(),
        Arc::new(TransparentBackend),
        case.bottom(),
        9,
    )
    .unwrap()
    .0
}

/// The control: without it, every "caught" below would say nothing.
#[test]
fn the_right_formulas_are_not_caught() {
    for case in cases() {
        assert!(trained::<Corrected>(&case).is_bit_identical(&reference(&case)));
    }
}

macro_rules! caught {
    ($($test:ident: $wrong:ident;)*) => {$(
        #[test]
        fn $test() {
            for case in cases() {
                let trained = trained::<wrong::$wrong>(&case);
                assert!(!trained.is_bit_identical(&reference(&case)), "{case:?}");
            }
        }
    )*};
}

caught! {
    target_minus_probability_is_caught: TargetMinusProbability;
    a_mask_added_in_f4_is_caught: MaskAddedInF4;
    a_mask_added_in_b3_is_caught: MaskAddedInB3;
    accumulating_before_encrypting_is_caught: AccumulateBeforeEncrypt;
    updating_before_the_input_gradient_is_caught: UpdateBeforeInputGradient;
    mixed_signs_are_caught: MixedSigns;
    a_missing_learning_rate_is_caught: MissingLearningRate;
}

#[test]
fn a_missing_activation_derivative_is_caught() {
    for case in cases() {
        let mut bottom = case.bottom();
        bottom.forgets_derivative = true;
        let backend = Arc::new(TransparentBackend);
        let (trained, _) =
            train::<Transparent, Corrected>(&case, &case.job(), backend, bottom, 9).unwrap();
        assert!(!trained.is_bit_identical(&reference(&case)));
    }
}
