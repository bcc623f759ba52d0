"""The simulator: a real day of flights from New York, with made-up passengers. Pure and seeded.

``storm_day(date=STORM_DAY, seed=1).arrivals`` are the events that publishers would send, in order of arrival. Show
:data:`SIMULATED` wherever its customers are shown.
"""

from processors.simulator.announcements import NOTICED_FROM
from processors.simulator.day import SIMULATED, DayCounts, StormDay, storm_day
from processors.simulator.expected import expected_customers
from processors.simulator.flights import STORM_DAY, Flight, FlightsUnavailable, load_flights
from processors.simulator.journal import SOURCE, Arrival
from processors.simulator.passengers import Booking, ConsentGiven, Passenger

__all__ = [
    "NOTICED_FROM",
    "SIMULATED",
    "SOURCE",
    "STORM_DAY",
    "Arrival",
    "Booking",
    "ConsentGiven",
    "DayCounts",
    "Flight",
    "FlightsUnavailable",
    "Passenger",
    "StormDay",
    "expected_customers",
    "load_flights",
    "storm_day",
]
