"""TFLite files: conversion recipes, checks, and measurements."""
