import { IsInt, IsNumber, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

/** A film as the file has it. */
export class RawMovie {
  @IsString()
  Title!: string;

  @Matches(/^[A-Z][a-z]{2} \d{2} \d{4}$/)
  'Release Date'!: string;

  @IsOptional()
  @IsString()
  'Major Genre'?: string | null;

  @IsOptional()
  @IsString()
  Director?: string | null;

  @IsOptional()
  @IsInt()
  @Min(0)
  'Production Budget'?: number | null;

  @IsOptional()
  @IsInt()
  @Min(0)
  'Worldwide Gross'?: number | null;

  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(10)
  'IMDB Rating'?: number | null;
}
