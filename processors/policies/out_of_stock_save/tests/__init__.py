"""What out_of_stock_save promises, tried out."""
