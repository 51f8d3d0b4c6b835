"""What people should look at: doubtful labels, errors, a review threshold, texts to label next."""
