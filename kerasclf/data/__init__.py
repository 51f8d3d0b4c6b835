"""From tables and registered data sets to splits and `tf.data` pipelines."""
