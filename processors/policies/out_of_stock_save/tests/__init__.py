"""Tests of out_of_stock_save."""
