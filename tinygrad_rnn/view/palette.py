"""The colours of weights, in drawings and in plots."""

# Okabe and Ito's palette: told apart by most readers with colour-blindness, and in grey by lightness.
PALETTE = ("#0072B2", "#D55E00", "#8C6BB1", "#009E73", "#B08A00", "#56B4E9", "#CC79A7", "#666666")
