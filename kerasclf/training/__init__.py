"""Loss, class weights, schedule, callbacks and the fit."""
