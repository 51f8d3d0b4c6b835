"""Training: losses, class weights, distillation, callbacks and the fit."""
