-- A whistle is for no more eyes than the cases it is about; they are found from it.

CREATE INDEX whistle_case_by_whistle ON whistle_case (jurisdiction_id, number, case_number);
