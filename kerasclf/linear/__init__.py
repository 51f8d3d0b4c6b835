"""The linear part of a model: logistic regression on TF-IDF of hashed n-grams of bytes."""
